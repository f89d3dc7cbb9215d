//! What waits for one viewer, and the two ends of it.
//!
//! The queue is short. When it is full, nothing waits and nothing is dropped silently: the channel
//! is noted as behind, and the viewer gets the newest state once it can take it. A channel of the
//! runtime would hold room for 32 deliveries per viewer, most of which never have one.

use crate::metric;
use crate::state::State;
use contract::live::Close;
use std::collections::{BTreeSet, VecDeque};
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// States that wait for one viewer.
pub const QUEUE: usize = 4;

/// What a viewer is handed.
#[derive(Debug)]
pub enum Delivery {
    /// A newer state.
    Publication(State),
    /// The snapshot of a channel that was just subscribed to.
    Snapshot(String, Option<State>),
    /// Nothing: it shall look whether its rights are still what they were.
    Look,
    /// It shall go.
    End(Close),
}

impl Delivery {
    /// The newer state, if it is one.
    #[must_use]
    pub const fn state(&self) -> Option<&State> {
        match self {
            Self::Publication(state) => Some(state),
            Self::Snapshot(..) | Self::Look | Self::End(_) => None,
        }
    }

    /// The newer state, if it is one.
    #[must_use]
    pub fn into_state(self) -> Option<State> {
        match self {
            Self::Publication(state) => Some(state),
            Self::Snapshot(..) | Self::Look | Self::End(_) => None,
        }
    }
}

/// The sending end; cheap to clone.
#[derive(Debug, Clone)]
pub struct Viewer(Arc<Mailbox>);

/// The receiving end. Dropping it makes the viewer one that is gone.
#[derive(Debug)]
pub struct Inbox(Arc<Mailbox>);

#[derive(Debug)]
struct Mailbox {
    id: u64,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: VecDeque<Delivery>,
    behind: BTreeSet<String>,
    waker: Option<Waker>,
    gone: bool,
}

impl Viewer {
    /// A viewer with its inbox.
    #[must_use]
    pub fn new() -> (Self, Inbox) {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let mailbox = Arc::new(Mailbox { id, inner: Mutex::default() });
        (Self(mailbox.clone()), Inbox(mailbox))
    }

    /// Its number on this gateway.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// Hands over a snapshot. It has room beside the queue: a viewer waits for at most one for each
    /// channel that it may watch.
    pub fn snapshot(&self, channel: String, state: Option<State>) {
        self.0.hand(|inner| inner.waiting.push_back(Delivery::Snapshot(channel, state)));
    }

    /// Makes the viewer look at its rights.
    pub fn look(&self) {
        self.0.hand(|inner| {
            if !inner.waiting.iter().any(|waiting| matches!(waiting, Delivery::Look)) {
                inner.waiting.push_back(Delivery::Look);
            }
        });
    }

    /// Makes the viewer go, before whatever else waits.
    pub fn end(&self, close: Close) {
        self.0.hand(|inner| inner.waiting.push_front(Delivery::End(close)));
    }

    /// Whether the viewer is gone.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.0.lock().gone
    }

    /// How many states wait, and their bytes.
    pub(super) fn waiting(&self) -> (usize, usize) {
        let inner = self.0.lock();
        let states = inner.waiting.iter().filter_map(Delivery::state);
        states.fold((0, 0), |(count, bytes), state| (count + 1, bytes + state.data().get().len()))
    }

    /// Hands over a newer state, or notes that there is one.
    pub(super) fn publish(&self, state: &State) {
        self.0.hand(|inner| {
            if inner.waiting.len() < QUEUE {
                inner.waiting.push_back(Delivery::Publication(state.clone()));
            } else {
                metric::conflated();
                inner.behind.insert(state.channel().to_owned());
            }
        });
    }
}

impl Inbox {
    /// Waits for the next delivery. Cancel-safe.
    pub async fn next(&mut self) -> Delivery {
        poll_fn(|context| {
            let mut inner = self.0.lock();
            if let Some(delivery) = inner.waiting.pop_front() {
                return Poll::Ready(delivery);
            }
            inner.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    /// The channels whose newest state did not fit, once nothing else waits; they are the caller's
    /// now. Whatever is noted later stands behind a delivery that is still to be taken.
    #[must_use]
    pub fn take_behind(&self) -> BTreeSet<String> {
        let mut inner = self.0.lock();
        if inner.waiting.is_empty() { std::mem::take(&mut inner.behind) } else { BTreeSet::new() }
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let mut inner = self.0.lock();
        *inner = Inner { gone: true, ..Inner::default() };
    }
}

impl Mailbox {
    /// Changes what waits and wakes the viewer, unless it is gone.
    fn hand(&self, change: impl FnOnce(&mut Inner)) {
        let mut inner = self.lock();
        if inner.gone {
            return;
        }
        change(&mut inner);
        let waker = inner.waker.take();
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn state(version: u64) -> State {
        State::new("order:A", version, serde_json::value::to_raw_value(&version).unwrap())
    }

    #[test]
    fn what_does_not_fit_is_behind_until_all_else_is_taken() {
        let (viewer, mut inbox) = Viewer::new();
        (1..=20).for_each(|version| viewer.publish(&state(version)));
        for _ in 0..QUEUE {
            assert!(inbox.take_behind().is_empty());
            assert!(matches!(inbox.next().now_or_never(), Some(Delivery::Publication(_))));
        }
        assert!(inbox.next().now_or_never().is_none());
        assert_eq!(inbox.take_behind().into_iter().collect::<Vec<_>>(), ["order:A"]);
    }

    #[test]
    fn a_snapshot_finds_room_and_a_viewer_that_is_gone_takes_nothing() {
        let (viewer, inbox) = Viewer::new();
        (1..=20).for_each(|version| viewer.publish(&state(version)));
        viewer.snapshot("order:B".to_owned(), None);
        assert_eq!(viewer.0.lock().waiting.len(), QUEUE + 1);
        drop(inbox);
        viewer.snapshot("order:B".to_owned(), None);
        assert!(viewer.is_gone() && viewer.0.lock().waiting.is_empty());
    }

    #[tokio::test]
    async fn who_waits_is_woken() {
        let (viewer, mut inbox) = Viewer::new();
        let handed = async {
            tokio::task::yield_now().await;
            viewer.look();
        };
        let (delivery, ()) = tokio::join!(inbox.next(), handed);
        assert!(matches!(delivery, Delivery::Look));
    }
}
