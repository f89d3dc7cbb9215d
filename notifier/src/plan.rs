//! From a new version of a timeline to what goes where. Pure.
//!
//! `rule` tells whether somebody is told at all → `preference` whether they want it →
//! `deliveries` which channels carry it.

mod channel;
mod rule;
mod preference;
mod deliveries;

pub use channel::Channel;
pub use deliveries::{Planned, deliveries};
pub use preference::{Choice, Choices};
pub use rule::{Occasion, occasion, occasion_version};
