//! Reads again what a shard may have lost: its watched channels, a portion at a time.

use crate::hub::Hub;
use crate::metric;
use crate::snapshot::Ladder;
use contract::name::Shard;
use service_kit::lifecycle::Lifecycle;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// Channels that are read at once; between two portions others get their turn.
const PORTION: usize = 64;

/// The shards that may have lost something; cheap to clone.
#[derive(Clone, Default)]
pub struct Dirty {
    shards: Arc<Mutex<BTreeSet<Shard>>>,
    added: Arc<Notify>,
}

impl Dirty {
    /// Notes a shard.
    pub fn add(&self, shard: Shard, noticed_by: &'static str) {
        metric::gap(noticed_by);
        self.shards.lock().unwrap_or_else(PoisonError::into_inner).insert(shard);
        self.added.notify_one();
    }

    fn take(&self) -> Option<Shard> {
        self.shards.lock().unwrap_or_else(PoisonError::into_inner).pop_first()
    }
}

/// Runs also after the soft stop: viewers stay for a while.
pub fn start(life: &Lifecycle, dirty: Dirty, hub: Hub, ladder: Ladder) {
    life.spawn_behind("repair", async move {
        loop {
            match dirty.take() {
                Some(shard) => repair(shard, &dirty, &hub, &ladder).await,
                None => dirty.added.notified().await,
            }
        }
    });
}

async fn repair(shard: Shard, dirty: &Dirty, hub: &Hub, ladder: &Ladder) {
    let mut failed = false;
    for portion in hub.watched(shard).chunks(PORTION) {
        let channels: Vec<_> = portion.iter().filter_map(|name| name.parse().ok()).collect();
        for answer in ladder.fetch_all(&channels).await {
            match answer {
                Ok(Some(state)) => hub.publish(&state),
                Ok(None) => {}
                Err(_) => failed = true,
            }
        }
        metric::repaired(portion.len());
    }
    if failed {
        // Nobody answered: the shard stays dirty until somebody does.
        tokio::time::sleep(Duration::from_millis(250)).await;
        dirty.add(shard, "unanswered");
    }
}
