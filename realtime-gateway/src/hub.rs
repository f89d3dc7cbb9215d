//! Who watches what on this gateway.
//!
//! A viewer's queue is short. When it is full, nothing waits and nothing is dropped silently:
//! the channel is noted as behind, and the viewer gets the newest state once it can take it.

use crate::metric;
use crate::state::State;
use contract::name::{SHARDS, Shard};
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// States that wait for one viewer.
pub const QUEUE: usize = 4;

/// What a viewer's queue carries.
#[derive(Debug)]
pub enum Delivery {
    /// A newer state.
    Publication(State),
    /// The snapshot of a channel that was just subscribed to.
    Snapshot(String, Option<State>),
}

/// The sending end of a viewer's queue; cheap to clone.
#[derive(Debug, Clone)]
pub struct Viewer {
    id: u64,
    queue: mpsc::Sender<Delivery>,
    behind: Arc<Mutex<BTreeSet<String>>>,
}

impl Viewer {
    /// A viewer with its queue.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Delivery>) {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let (queue, receiver) = mpsc::channel(QUEUE);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        (Self { id, queue, behind: Arc::default() }, receiver)
    }

    /// Hands over a snapshot; waits for room, since the viewer waits for it. False when the
    /// viewer is gone.
    pub async fn snapshot(&self, channel: String, state: Option<State>) -> bool {
        self.queue.send(Delivery::Snapshot(channel, state)).await.is_ok()
    }

    /// Ends when the viewer is gone.
    pub async fn gone(&self) {
        self.queue.closed().await;
    }

    fn publish(&self, state: &State) {
        if self.queue.try_send(Delivery::Publication(state.clone())).is_err() {
            metric::conflated();
            lock(&self.behind).insert(state.channel().to_owned());
        }
    }

    /// The channels whose newest state did not fit in the queue; they are the caller's now.
    #[must_use]
    pub fn take_behind(&self) -> BTreeSet<String> {
        std::mem::take(&mut *lock(&self.behind))
    }
}

#[derive(Debug, Default)]
struct Watched {
    viewers: HashMap<u64, Viewer>,
    newest: Option<State>,
}

/// The watched channels, in as many parts as there are shards; cheap to clone.
#[derive(Debug, Clone)]
pub struct Hub {
    parts: Arc<Vec<Mutex<HashMap<String, Watched>>>>,
}

impl Default for Hub {
    fn default() -> Self {
        Self { parts: Arc::new((0..SHARDS).map(|_| Mutex::default()).collect()) }
    }
}

impl Hub {
    /// Registers a viewer. Do this before the snapshot is read, or a state could fall between.
    pub fn watch(&self, channel: &str, viewer: &Viewer) {
        let mut part = self.part(channel);
        let watched = part.entry(channel.to_owned()).or_default();
        watched.viewers.insert(viewer.id, viewer.clone());
    }

    /// Removes a viewer; with the last one the channel is forgotten.
    pub fn unwatch(&self, channel: &str, viewer: &Viewer) {
        let mut part = self.part(channel);
        if let Some(watched) = part.get_mut(channel) {
            watched.viewers.remove(&viewer.id);
            if watched.viewers.is_empty() {
                part.remove(channel);
            }
        }
    }

    /// Gives a state to whoever watches its channel, unless a newer one went before.
    pub fn publish(&self, state: &State) {
        let mut part = self.part(state.channel());
        let Some(watched) = part.get_mut(state.channel()) else {
            return;
        };
        if watched.newest.as_ref().is_some_and(|known| known.version() >= state.version()) {
            return;
        }
        watched.newest = Some(state.clone());
        metric::delivered(watched.viewers.len());
        watched.viewers.values().for_each(|viewer| viewer.publish(state));
    }

    /// Does anybody here watch the channel?
    #[must_use]
    pub fn has(&self, channel: &str) -> bool {
        self.part(channel).contains_key(channel)
    }

    /// The newest state of a watched channel, if it came by.
    #[must_use]
    pub fn newest(&self, channel: &str) -> Option<State> {
        self.part(channel).get(channel)?.newest.clone()
    }

    /// The watched channels of a shard.
    #[must_use]
    pub fn watched(&self, shard: Shard) -> Vec<String> {
        let part = self.parts.get(usize::from(shard.number()));
        part.map(|part| lock(part).keys().cloned().collect()).unwrap_or_default()
    }

    fn part(&self, channel: &str) -> MutexGuard<'_, HashMap<String, Watched>> {
        lock(&self.parts[usize::from(Shard::of(channel).number())])
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(version: u64) -> State {
        State::new("order:A", version, serde_json::value::to_raw_value(&version).unwrap())
    }

    #[test]
    fn a_viewer_that_takes_nothing_is_noted_as_behind_and_the_newest_state_is_kept() {
        let (hub, (viewer, mut queue)) = (Hub::default(), Viewer::new());
        hub.watch("order:A", &viewer);
        (1..=20).for_each(|version| hub.publish(&state(version)));
        assert_eq!(viewer.take_behind().into_iter().collect::<Vec<_>>(), ["order:A"]);
        assert_eq!(hub.newest("order:A").unwrap().version(), 20);
        let mut taken = 0;
        while queue.try_recv().is_ok() {
            taken += 1;
        }
        assert_eq!(taken, QUEUE);
    }

    #[test]
    fn nobody_watching_means_nothing_kept() {
        let (hub, (viewer, _queue)) = (Hub::default(), Viewer::new());
        hub.publish(&state(1));
        assert!(hub.newest("order:A").is_none());
        hub.watch("order:A", &viewer);
        hub.publish(&state(2));
        hub.unwatch("order:A", &viewer);
        assert!(hub.newest("order:A").is_none());
        assert!(hub.watched(Shard::of("order:A")).is_empty());
    }

    #[test]
    fn older_and_repeated_states_go_nowhere() {
        let (hub, (viewer, mut queue)) = (Hub::default(), Viewer::new());
        hub.watch("order:A", &viewer);
        for version in [5, 5, 4] {
            hub.publish(&state(version));
        }
        assert!(queue.try_recv().is_ok());
        assert!(queue.try_recv().is_err());
    }
}
