//! SQL, and nothing else: one table family for each file, functions on a connection.

use std::cell::RefCell;

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
pub mod duration;
pub mod ask;
pub mod silent;
pub mod unmapped;
pub mod replay;
pub mod month;
pub mod walk;
pub mod operate;

/// JSON of a type of ours, which always has one. Written where the last one was, so that a large one
/// need not grow step by step.
pub(crate) fn json(value: &impl serde::Serialize) -> String {
    thread_local! {
        static PAGE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    PAGE.with_borrow_mut(|page| {
        page.clear();
        serde_json::to_writer(&mut *page, value).unwrap_or_default();
        String::from_utf8_lossy(page).into_owned()
    })
}
