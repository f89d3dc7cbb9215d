//! Rights that were taken away before the end of their tokens.
//!
//! `list` answers for this gateway (pure) ← `shared` keeps it the same on all gateways, through
//! Redis.

mod list;
mod shared;

pub use list::{Denied, Right};
pub use shared::{revoke, start};
