//! Asks other systems, so much at a time, and puts what they say into the log as if they had
//! called: from there on it is a record like any other.
//!
//! `breaker` leaves a system alone that fails → `client` asks → `rounds` claims what is due and
//! notes when to ask again.

mod breaker;
mod client;
mod rounds;

pub use rounds::start;
