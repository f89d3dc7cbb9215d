//! Shards of which Redis may hold old states, and the channels that were told since.

use contract::name::Shard;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Channels that are remembered for a shard; above it they are asked for again, which is right
/// and only costs a question.
const MOST: usize = 20_000;

/// The doubts; cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Doubted {
    settled: Arc<Mutex<HashMap<Shard, HashSet<String>>>>,
}

impl Doubted {
    /// From now on this shard is doubted.
    pub(super) fn add(&self, shard: Shard) {
        self.lock().insert(shard, HashSet::new());
    }

    /// Is Redis not to be believed about this channel?
    pub(super) fn doubts(&self, channel: &str) -> bool {
        self.lock().get(&Shard::of(channel)).is_some_and(|settled| !settled.contains(channel))
    }

    /// The service has told the channel's state.
    pub(super) fn settle(&self, channel: &str) {
        if let Some(settled) = self.lock().get_mut(&Shard::of(channel)) {
            if settled.len() >= MOST {
                settled.clear();
            }
            settled.insert(channel.to_owned());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Shard, HashSet<String>>> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubt_ends_for_a_channel_when_its_service_has_spoken() {
        let doubted = Doubted::default();
        assert!(!doubted.doubts("order:A"));
        doubted.add(Shard::of("order:A"));
        assert!(doubted.doubts("order:A"));
        doubted.settle("order:A");
        assert!(!doubted.doubts("order:A"));
        doubted.add(Shard::of("order:A"));
        assert!(doubted.doubts("order:A"), "it went back again");
    }
}
