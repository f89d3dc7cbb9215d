//! Who waits for which snapshot: one reading for all who ask for the same channel.
//!
//! A viewer never joins a reading that has begun: what was published between the reading and the
//! moment from which the viewer hears the bus would be lost to it. It is in the next one.

use crate::hub::Viewer;
use contract::name::Channel;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The desk; cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Desk {
    inner: Arc<Mutex<Inner>>,
    asked: Arc<Notify>,
}

#[derive(Default)]
struct Inner {
    /// Who waits for the next reading of a channel that is due or being read.
    waiting: HashMap<String, Vec<Viewer>>,
    /// The channels to be read.
    due: VecDeque<Channel>,
}

/// A reading: a channel and those who get its state.
pub(super) struct Reading {
    pub(super) channel: Channel,
    pub(super) viewers: Vec<Viewer>,
}

impl Desk {
    /// A viewer wants a channel's state.
    pub(super) fn ask(&self, channel: Channel, viewer: &Viewer) {
        let mut inner = self.lock();
        let name = channel.to_string();
        if let Some(viewers) = inner.waiting.get_mut(&name) {
            // It may have left the channel and come back: one answer will do.
            if !viewers.iter().any(|known| known.id() == viewer.id()) {
                viewers.push(viewer.clone());
            }
            return;
        }
        inner.waiting.insert(name, vec![viewer.clone()]);
        inner.due.push_back(channel);
        drop(inner);
        self.asked.notify_one();
    }

    /// Waits until something is due, then begins up to so many readings.
    pub(super) async fn begin(&self, most: usize) -> Vec<Reading> {
        loop {
            let begun = self.take(most);
            if !begun.is_empty() {
                return begun;
            }
            self.asked.notified().await;
        }
    }

    fn take(&self, most: usize) -> Vec<Reading> {
        let mut inner = self.lock();
        let count = inner.due.len().min(most);
        let due: Vec<Channel> = inner.due.drain(..count).collect();
        let begin = |channel: Channel| {
            let waiting = inner.waiting.get_mut(&channel.to_string());
            Reading { channel, viewers: waiting.map(std::mem::take).unwrap_or_default() }
        };
        due.into_iter().map(begin).collect()
    }

    /// Those who have asked since a reading began: for one that begins again.
    pub(super) fn join(&self, channel: &Channel) -> Vec<Viewer> {
        let mut inner = self.lock();
        inner.waiting.get_mut(&channel.to_string()).map(std::mem::take).unwrap_or_default()
    }

    /// A reading is over. Who asked meanwhile is in the next one.
    pub(super) fn end(&self, channel: Channel) {
        let mut inner = self.lock();
        let name = channel.to_string();
        if inner.waiting.get(&name).is_some_and(Vec::is_empty) {
            inner.waiting.remove(&name);
        } else if inner.waiting.contains_key(&name) {
            inner.due.push_back(channel);
            drop(inner);
            self.asked.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(desk: &Desk, name: &str) {
        desk.ask(name.parse().unwrap(), &Viewer::new().0);
    }

    #[test]
    fn who_asks_while_a_channel_is_read_is_in_the_next_reading() {
        let desk = Desk::default();
        asking(&desk, "order:A");
        asking(&desk, "order:A");
        let mut first = desk.take(9);
        assert_eq!(first.iter().map(|r| r.viewers.len()).collect::<Vec<_>>(), [2]);
        asking(&desk, "order:A");
        assert!(desk.take(9).is_empty(), "one reading at a time");
        desk.end(first.remove(0).channel);
        let mut second = desk.take(9);
        assert_eq!(second.iter().map(|r| r.viewers.len()).collect::<Vec<_>>(), [1]);
        desk.end(second.remove(0).channel);
        assert!(desk.take(9).is_empty());
        assert!(desk.lock().waiting.is_empty(), "nothing is kept");
    }

    #[test]
    fn a_reading_that_begins_again_takes_along_who_has_asked_meanwhile() {
        let desk = Desk::default();
        asking(&desk, "order:A");
        let first = desk.take(9).remove(0);
        asking(&desk, "order:A");
        assert_eq!(desk.join(&first.channel).len(), 1);
        assert!(desk.join(&first.channel).is_empty());
        desk.end(first.channel);
        assert!(desk.take(9).is_empty() && desk.lock().waiting.is_empty());
    }

    #[test]
    fn so_many_at_a_time() {
        let desk = Desk::default();
        for name in ["order:A", "order:B", "order:C"] {
            asking(&desk, name);
        }
        assert_eq!(desk.take(2).len(), 2);
        assert_eq!(desk.take(2).len(), 1);
    }
}
