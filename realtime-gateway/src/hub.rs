//! Who is connected to this gateway, and who watches what.

mod mailbox;

pub use mailbox::{Delivery, Inbox, QUEUE, Viewer};

use crate::metric;
use crate::state::State;
use contract::name::{SHARDS, Shard};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
struct Watched {
    /// A list: it is walked for every state, and searched only when somebody leaves.
    viewers: Vec<Viewer>,
    newest: Option<State>,
}

/// The watched channels, in as many parts as there are shards; cheap to clone.
#[derive(Debug, Clone)]
pub struct Hub {
    parts: Arc<Vec<Mutex<HashMap<String, Watched>>>>,
    viewers: Arc<Mutex<HashMap<u64, Viewer>>>,
}

impl Default for Hub {
    fn default() -> Self {
        let parts = Arc::new((0..SHARDS).map(|_| Mutex::default()).collect());
        Self { parts, viewers: Arc::default() }
    }
}

impl Hub {
    /// A viewer came.
    pub fn enter(&self, viewer: &Viewer) {
        lock(&self.viewers).insert(viewer.id(), viewer.clone());
    }

    /// A viewer went.
    pub fn leave(&self, viewer: &Viewer) {
        lock(&self.viewers).remove(&viewer.id());
    }

    /// Who is here.
    #[must_use]
    pub fn everybody(&self) -> Vec<Viewer> {
        lock(&self.viewers).values().cloned().collect()
    }

    /// Makes every viewer look at its rights: something was taken away.
    pub fn look(&self) {
        self.everybody().iter().for_each(Viewer::look);
    }

    /// How many states wait in the viewers' queues, and their bytes.
    #[must_use]
    pub fn waiting(&self) -> (usize, usize) {
        let viewers = lock(&self.viewers);
        viewers
            .values()
            .map(Viewer::waiting)
            .fold((0, 0), |(states, bytes), (more, longer)| (states + more, bytes + longer))
    }

    /// Registers a viewer, once for each channel. Do this before the snapshot is read, or a state
    /// could fall between.
    pub fn watch(&self, channel: &str, viewer: &Viewer) {
        let mut part = self.part(channel);
        let watched = part.entry(channel.to_owned()).or_default();
        watched.viewers.push(viewer.clone());
        metric::subscriptions(1.0);
    }

    /// Removes a viewer; with the last one the channel is forgotten.
    pub fn unwatch(&self, channel: &str, viewer: &Viewer) {
        let mut part = self.part(channel);
        if let Some(watched) = part.get_mut(channel) {
            if let Some(place) = watched.viewers.iter().position(|v| v.id() == viewer.id()) {
                watched.viewers.swap_remove(place);
                metric::subscriptions(-1.0);
            }
            if watched.viewers.is_empty() {
                part.remove(channel);
            }
        }
    }

    /// Gives a state to whoever watches its channel, unless a newer one went before.
    pub fn publish(&self, state: &State) {
        let shard = Shard::of(state.channel());
        self.publish_newer(shard, state.channel(), state.version(), || state.clone());
    }

    /// The same for a state that is made only if somebody here waits for it: of what a gateway
    /// hears, most is for viewers of others.
    pub fn publish_newer(
        &self,
        shard: Shard,
        channel: &str,
        version: u64,
        make: impl FnOnce() -> State,
    ) {
        let mut part = self.shard(shard);
        let Some(watched) = part.get_mut(channel) else {
            return;
        };
        if watched.newest.as_ref().is_some_and(|known| known.version() >= version) {
            return;
        }
        let state = watched.newest.insert(make());
        metric::delivered(watched.viewers.len());
        watched.viewers.iter().for_each(|viewer| viewer.publish(state));
    }

    /// Does anybody here watch a channel?
    #[must_use]
    pub fn watches(&self, shard: Shard, channel: &str) -> bool {
        self.shard(shard).contains_key(channel)
    }

    /// The newest state of a watched channel, if it came by.
    #[must_use]
    pub fn newest(&self, channel: &str) -> Option<State> {
        self.part(channel).get(channel)?.newest.clone()
    }

    /// The numbers of those who watch a channel.
    #[must_use]
    pub fn watching(&self, channel: &str) -> Vec<u64> {
        let part = self.part(channel);
        part.get(channel).map(|w| w.viewers.iter().map(Viewer::id).collect()).unwrap_or_default()
    }

    /// The watched channels of a shard.
    #[must_use]
    pub fn watched(&self, shard: Shard) -> Vec<String> {
        let part = self.parts.get(usize::from(shard.number()));
        part.map(|part| lock(part).keys().cloned().collect()).unwrap_or_default()
    }

    fn part(&self, channel: &str) -> MutexGuard<'_, HashMap<String, Watched>> {
        self.shard(Shard::of(channel))
    }

    fn shard(&self, shard: Shard) -> MutexGuard<'_, HashMap<String, Watched>> {
        lock(&self.parts[usize::from(shard.number())])
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    fn state(version: u64) -> State {
        State::new("order:A", version, serde_json::value::to_raw_value(&version).unwrap())
    }

    #[test]
    fn nobody_watching_means_nothing_kept() {
        let (hub, (viewer, _inbox)) = (Hub::default(), Viewer::new());
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
        let (hub, (viewer, mut inbox)) = (Hub::default(), Viewer::new());
        hub.watch("order:A", &viewer);
        for version in [5, 5, 4] {
            hub.publish(&state(version));
        }
        assert!(inbox.next().now_or_never().is_some());
        assert!(inbox.next().now_or_never().is_none());
    }
}
