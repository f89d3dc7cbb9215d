//! Gives the room of removed rows back, so that what comes next is written there. The server does so by itself once a
//! minute; with thousands of rows a second the table is a gigabyte by then, and whoever asks what is open reads over
//! all that is gone.

use super::Relay;
use crate::store::outbox::{self, LANES};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Rows that were removed since room was made last are this many: it is worth it.
const WORTH: usize = 20_000;
/// Of fewer connections none is away for as long as that takes, which is minutes where much was left lying.
const CONNECTIONS: u32 = 3;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(250);

/// Counts rows that are gone; cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Gone(Arc<AtomicUsize>);

impl Gone {
    pub(super) fn add(&self, rows: usize) {
        self.0.fetch_add(rows, Ordering::Relaxed);
    }

    /// Begins anew if they are many, with those of the lanes that others have; tells whether they were.
    fn are_many(&self, lanes: usize) -> bool {
        let own = WORTH * lanes / usize::from(LANES.unsigned_abs());
        self.0.load(Ordering::Relaxed) >= own && self.0.swap(0, Ordering::Relaxed) >= own
    }
}

/// Makes room whenever much is gone: of several processes one does. What fails is left to the
/// server, which comes later.
pub(super) async fn keep(relay: &Relay) {
    let can = relay.pool.options().get_max_connections() >= CONNECTIONS;
    loop {
        tokio::time::sleep(PAUSE).await;
        let held = relay.lanes.held();
        if can
            && held.leads()
            && relay.gone.are_many(held.lanes().len())
            && let Err(error) = outbox::make_room(&relay.pool).await
        {
            tracing::warn!(%error, "the server makes room by itself");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn much_is_counted_once() {
        let (gone, all) = (Gone::default(), 8);
        gone.add(WORTH - 1);
        assert!(!gone.are_many(all));
        gone.add(1);
        assert!(gone.are_many(all) && !gone.are_many(all));
        gone.add(WORTH / 2);
        assert!(!gone.are_many(all) && gone.are_many(all / 2), "another process removed as many");
    }
}
