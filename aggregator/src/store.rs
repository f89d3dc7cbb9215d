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
pub mod backlog;
pub mod due;
pub mod duration;
pub mod ask;
pub mod silent;
pub mod unmapped;
pub mod replay;
pub mod month;
pub mod walk;
pub mod operate;

/// JSON of a type of ours, which always has one.
pub(crate) fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
