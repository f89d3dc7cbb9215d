//! SQL, and nothing else: one table family for each file, functions on a connection.

pub mod texts;

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

use std::cell::Cell;

thread_local! {
    /// Room that has grown already: a text that grows by itself is copied five times on its way to 4 kB.
    static ROOM: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// More room than this is given back.
const MOST_ROOM: usize = 64 * 1024;

/// JSON of a type of ours, which always has one.
pub(crate) fn json(value: &impl serde::Serialize) -> String {
    let mut room = ROOM.take();
    room.clear();
    let text = serde_json::to_writer(&mut room, value).ok().and_then(|()| {
        let text = std::str::from_utf8(&room).ok()?;
        Some(text.to_owned())
    });
    if room.capacity() <= MOST_ROOM {
        ROOM.set(room);
    }
    text.unwrap_or_default()
}
