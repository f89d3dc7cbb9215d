//! Who is connected, by name: for operators who ask, and so that nobody has more than their share.
//!
//! `register` knows those of this gateway (pure) ← `shared` counts those of all gateways, `everywhere`
//! asks them who watches, both through Redis.

mod register;
mod shared;
mod everywhere;

pub use everywhere::{Everywhere, Watcher, Watching};
pub use register::{Census, Entry, Person};
pub use shared::start;
