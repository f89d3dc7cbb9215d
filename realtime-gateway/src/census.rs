//! Who is connected, by name: for operators who ask, and so that nobody has more than their share.
//!
//! `register` knows those of this gateway (pure) ← `shared` counts those of all gateways, through
//! Redis.

mod register;
mod shared;

pub use register::{Census, Entry, Person};
pub use shared::start;
