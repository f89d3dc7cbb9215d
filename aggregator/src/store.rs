//! SQL, and nothing else: one table family for each file, functions on a connection.

pub mod lock;
pub mod order;
pub mod alias;
pub mod event;
pub mod parked;
pub mod timeline;
pub mod outbox;
pub mod lane;
pub mod dead_letter;
pub mod due;
