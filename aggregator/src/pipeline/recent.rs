//! Histories of orders that were worked on a moment ago, so that the next event of one of them need
//! not read them back.
//!
//! A history is used only if its version is the stored one, read while the order's lock is held:
//! every event that counts makes one version, so that the same version means the same events. One that
//! is behind is brought up to it by what is stored and not in it: another process has worked on the order.
//! (Of events that do not count, one may be missing here: then storing it is refused, and the next try
//! reads what is stored.)

mod packed;

use crate::fold;
use crate::store::order::Known;
use contract::event::OrderEvent;
use contract::id::OrderId;
use contract::milestone::Milestone;
use contract::timeline::Timeline;
use lru::LruCache;
use std::cmp::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes that are kept, about.
const MOST: usize = 36 * 1024 * 1024;
/// What an order takes beside its events, about: its name, its places in the list and the index.
const ORDER: usize = 200;

/// An order's events, and where the newest state that was made of them stands.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The events, in the order of their arrival.
    events: Vec<Arc<OrderEvent>>,
    /// Version and status of the newest state, once there is one.
    newest: Option<(u64, Milestone)>,
    /// The first ones, packed.
    packed: Vec<u8>,
    /// How many these are.
    kept: usize,
}

impl History {
    /// What is stored of an order.
    #[must_use]
    pub fn stored(events: Vec<OrderEvent>, known: &Known) -> Self {
        let events = events.into_iter().map(Arc::new).collect();
        Self { events, newest: known.newest, ..Self::default() }
    }

    /// The keys of its events.
    pub fn keys(&self) -> impl Iterator<Item = String> {
        self.events.iter().map(|event| event.key())
    }

    /// Adds what is stored and was not here. None unless it is then what is stored: an older database may have
    /// been restored meanwhile, which lacks what is here.
    #[must_use]
    pub fn caught_up(mut self, stored: Vec<OrderEvent>, known: &Known) -> Option<Self> {
        self.events.extend(stored.into_iter().map(Arc::new));
        let counting = self.events.iter().filter(|event| fold::counts(event)).count();
        self.newest = known.newest;
        let version = known.version_base + u64::try_from(counting).ok()?;
        self.newest.is_some_and(|(newest, _)| newest == version).then_some(self)
    }

    /// Is an event with this key there?
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.events.iter().any(|event| event.has_key(key))
    }

    /// Where the order stands.
    #[must_use]
    pub fn status(&self) -> Option<Milestone> {
        self.newest.map(|(_, status)| status)
    }

    /// Adds an event; if it counts, folds anew and gives the state.
    pub fn add(&mut self, order: &OrderId, event: Arc<OrderEvent>, base: u64) -> Option<Timeline> {
        let counts = fold::counts(&event);
        self.events.push(event);
        let state = counts.then(|| fold::state(order, &self.events, base)).flatten()?;
        self.newest = Some((state.version, state.status));
        Some(state)
    }

    /// As it is kept: what was kept before is not packed again.
    fn packed(self) -> Option<Packed> {
        let mut new = self.events.iter().skip(self.kept);
        let events = new.try_fold(self.packed, |all, event| packed::add(all, event))?;
        Some(Packed { events: packed::compress(&events), newest: self.newest })
    }
}

/// A history that was kept.
#[derive(Debug)]
pub enum Remembered {
    /// It is the stored one.
    Stored(History),
    /// Something was stored since then.
    Behind(History),
}

/// A history as it is kept.
struct Packed {
    events: Box<[u8]>,
    newest: Option<(u64, Milestone)>,
}

impl Packed {
    fn size(&self) -> usize {
        self.events.len() + ORDER
    }

    fn history(self, order: &OrderId) -> Option<History> {
        let packed = packed::decompress(&self.events)?;
        let events = packed::events(order, &packed)?;
        let kept = events.len();
        Some(History { events, newest: self.newest, packed, kept })
    }
}

/// Histories by order; cheap to clone.
#[derive(Clone)]
pub struct Recent(Arc<Mutex<Kept>>);

/// The histories, the one that was used last first.
struct Kept {
    orders: LruCache<OrderId, Packed>,
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
    /// Takes an order's history out, if it is the stored one or behind it.
    #[must_use]
    pub fn take(&self, order: &OrderId, stored: Option<u64>) -> Option<Remembered> {
        let packed = self.kept().take(order)?;
        let (version, stored) = (packed.newest?.0, stored?);
        match version.cmp(&stored) {
            Ordering::Equal => packed.history(order).map(Remembered::Stored),
            Ordering::Less => packed.history(order).map(Remembered::Behind),
            // An older database was restored.
            Ordering::Greater => None,
        }
    }

    /// Keeps an order's history. After the commit: before it, nothing is true yet.
    pub fn put(&self, order: OrderId, history: History) {
        let Some(packed) = history.packed() else { return };
        let mut kept = self.kept();
        kept.take(&order);
        kept.bytes += packed.size();
        kept.orders.put(order, packed);
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
    fn take(&mut self, order: &OrderId) -> Option<Packed> {
        let packed = self.orders.pop(order)?;
        self.bytes -= packed.size();
        Some(packed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::{Draft, OrderRef};
    use contract::customer::Customer;
    use service_kit::clock;

    fn added(history: &mut History, order: &OrderId, id: &str, base: u64) -> Option<u64> {
        let event = event(order, id);
        history.add(order, event.into(), base).map(|state| state.version)
    }

    fn event(order: &OrderId, id: &str) -> OrderEvent {
        let named = OrderRef::Order(order.clone());
        let (id, code) = (id.to_owned(), Milestone::OrderConfirmed);
        Draft::new("shop", id, code, clock::now(), named).into_event(order.clone())
    }

    /// The history, if it is the stored one.
    fn stored(remembered: Option<Remembered>) -> Option<History> {
        match remembered {
            Some(Remembered::Stored(history)) => Some(history),
            _ => None,
        }
    }

    fn known(base: u64, version: u64) -> Known {
        let customer: Customer = serde_json::from_str(r#"{"id":"C-1"}"#).expect("a customer");
        Known {
            customer,
            placed_at: None,
            version_base: base,
            month: clock::now().date_naive(),
            learned: false,
            newest: Some((version, Milestone::OrderConfirmed)),
        }
    }

    #[test]
    fn a_history_is_used_once_and_only_under_its_own_version() {
        let (recent, order) = (Recent::default(), "TM-1".parse::<OrderId>().expect("an order"));
        let mut history = History::default();
        assert_eq!(added(&mut history, &order, "e", 4), Some(5));
        for (version, found) in [(None, false), (Some(4), false), (Some(5), true), (Some(5), false)]
        {
            if version != Some(5) || found {
                recent.put(order.clone(), history.clone());
            }
            let taken = stored(recent.take(&order, version));
            assert_eq!(taken.is_some(), found, "stored: {version:?}");
        }
    }

    #[test]
    fn a_history_that_is_behind_is_used_if_what_was_added_makes_it_the_stored_one() {
        let (recent, order) = (Recent::default(), "TM-1".parse::<OrderId>().expect("an order"));
        let mut history = History::default();
        added(&mut history, &order, "a", 2);
        let behind = |version| {
            recent.put(order.clone(), history.clone());
            match recent.take(&order, Some(version)) {
                Some(Remembered::Behind(history)) => history,
                other => panic!("{other:?}"),
            }
        };
        let info = || OrderEvent { milestone: Milestone::InfoIgnored, ..event(&order, "i") };
        let other = || vec![event(&order, "b"), info()];
        let caught_up = behind(4).caught_up(other(), &known(2, 4)).expect("the stored one");
        assert!(["shop:a", "shop:b", "shop:i"].iter().all(|key| caught_up.has(key)));
        recent.put(order.clone(), caught_up);
        assert!(stored(recent.take(&order, Some(4))).is_some_and(|kept| kept.has("shop:b")));
        // Of an older database that was restored, and went on from a higher version with another event.
        assert!(behind(12).caught_up(other(), &known(11, 12)).is_none());
        assert!(behind(4).caught_up(Vec::new(), &known(2, 4)).is_none());
    }

    #[test]
    fn a_history_that_was_kept_goes_on_and_has_each_event_once() {
        let (recent, order) = (Recent::default(), "TM-1".parse::<OrderId>().expect("an order"));
        let mut history = History::default();
        for (id, version) in [("a", 1), ("b", 2), ("c", 3)] {
            assert_eq!(added(&mut history, &order, id, 0), Some(version));
            recent.put(order.clone(), history);
            history = stored(recent.take(&order, Some(version))).expect("the stored one");
        }
        assert!(["shop:a", "shop:b", "shop:c"].iter().all(|key| history.has(key)));
    }
}
