//! What other systems are asked, of those that do not say everything by themselves: parcels of a
//! carrier that calls nobody, and what a vendor that does not sign reported of a delivery or of
//! money. Pure.
//!
//! `template` is where and how to ask → `want` says what is to be asked of an order, and when
//! again → `vendor` are the questions that are built in.

mod template;
mod want;
mod vendor;
#[cfg(test)]
mod tests;

pub use template::{Call, Template};
pub use vendor::{Bases, built_in};
pub use want::{About, Occasion, Question, Want, is_asked, next, wants};
