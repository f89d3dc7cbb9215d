//! Who may speak for a vendor: signatures over the raw bytes, checked before anything is parsed.
//!
//! `secret` holds what vendors sign with → `scheme` checks one call (pure; one function for each
//! way of signing) → `vendor` says which way each source has, and what it wants to hear.

mod secret;
mod canonical;
mod scheme;
mod vendor;
#[cfg(test)]
mod tests;

pub use scheme::{Call, Verdict};
pub use secret::Secrets;
pub use vendor::{Answer, Vendor, Vendors};
