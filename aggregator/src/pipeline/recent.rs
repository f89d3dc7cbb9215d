//! Histories of orders that were worked on a moment ago, so that the next event of one of them need
//! not read them back.
//!
//! A history is used only if its version is the stored one, read while the order's lock is held:
//! every event that counts makes one version, so that the same version means the same events. (Of
//! events that do not count, one may be missing here: then storing it is refused, and the next try
//! reads what is stored.)

use crate::fold;
use contract::event::{EventData, LineItem, OrderEvent};
use contract::id::OrderId;
use contract::timeline::Timeline;
use lru::LruCache;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes that are kept, about.
const MOST: usize = 16 * 1024 * 1024;
/// Bytes of an event's texts, about, and of its entry in the state.
const TEXTS: usize = 900;

/// An order's events, and what they fold to.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The events, in the order of their arrival.
    pub events: Vec<OrderEvent>,
    /// Their keys.
    pub keys: HashSet<String>,
    /// The newest state.
    pub state: Option<Timeline>,
}

impl History {
    /// Of events that were read.
    #[must_use]
    pub fn of(order: &OrderId, events: Vec<OrderEvent>, base: u64) -> Self {
        let keys = events.iter().map(OrderEvent::key).collect();
        let state = fold::state(order, &events, base);
        Self { events, keys, state }
    }

    /// Adds an event and folds anew if it counts; tells whether it does.
    pub fn add(&mut self, order: &OrderId, event: OrderEvent, base: u64) -> bool {
        let counts = fold::counts(&event);
        self.events.push(event);
        if counts {
            self.state = fold::state(order, &self.events, base);
        }
        counts
    }

    /// Bytes, about.
    fn size(&self) -> usize {
        let parts = |data: &EventData| {
            data.items.len() * size_of::<LineItem>() + (data.lines.len() + data.skus.len()) * 64
        };
        let event = |event: &OrderEvent| {
            // The state repeats the lines.
            size_of::<OrderEvent>() + TEXTS + 2 * parts(&event.data)
        };
        size_of::<Timeline>() + self.events.iter().map(event).sum::<usize>()
    }
}

/// Histories by order; cheap to clone.
#[derive(Clone)]
pub struct Recent(Arc<Mutex<Kept>>);

/// The histories, the one that was used last first.
struct Kept {
    orders: LruCache<OrderId, History>,
    bytes: usize,
}

impl Default for Recent {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Kept { orders: LruCache::unbounded(), bytes: 0 })))
    }
}

impl std::fmt::Debug for Recent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recent").finish_non_exhaustive()
    }
}

impl Recent {
    /// Takes an order's history out, if it is the stored one.
    #[must_use]
    pub fn take(&self, order: &OrderId, stored: Option<u64>) -> Option<History> {
        let history = self.kept().take(order)?;
        let version = history.state.as_ref().map(|state| state.version);
        (version.is_some() && version == stored).then_some(history)
    }

    /// Keeps an order's history. After the commit: before it, nothing is true yet.
    pub fn put(&self, order: OrderId, history: History) {
        let mut kept = self.kept();
        kept.take(&order);
        kept.bytes += history.size();
        kept.orders.put(order, history);
        while kept.bytes > MOST
            && let Some((_, oldest)) = kept.orders.pop_lru()
        {
            kept.bytes -= oldest.size();
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn take(&mut self, order: &OrderId) -> Option<History> {
        let history = self.orders.pop(order)?;
        self.bytes -= history.size();
        Some(history)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::{Draft, OrderRef};
    use contract::milestone::Milestone;
    use service_kit::clock;

    #[test]
    fn a_history_is_used_once_and_only_under_its_own_version() {
        let (recent, order) = (Recent::default(), "TM-1".parse::<OrderId>().expect("an order"));
        let (id, named) = ("e".to_owned(), OrderRef::Order(order.clone()));
        let draft = Draft::new("shop", id, Milestone::OrderConfirmed, clock::now(), named);
        let history = History::of(&order, vec![draft.into_event(order.clone())], 4);
        for (stored, found) in [(None, false), (Some(4), false), (Some(5), true), (Some(5), false)]
        {
            if stored != Some(5) || found {
                recent.put(order.clone(), history.clone());
            }
            assert_eq!(recent.take(&order, stored).is_some(), found, "stored: {stored:?}");
        }
    }
}
