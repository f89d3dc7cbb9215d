//! Gives the room of removed rows back, so that what comes next is written there. The server does so by itself once a
//! minute; with thousands of rows a second the table is a gigabyte by then, and whoever asks what is open reads over
//! all that is gone.

use super::Relay;
use crate::store::outbox;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Rows that were removed since room was made last are this many: it is worth it.
const WORTH: usize = 20_000;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(250);

/// Counts rows that are gone; cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Gone(Arc<AtomicUsize>);

impl Gone {
    pub(super) fn add(&self, rows: usize) {
        self.0.fetch_add(rows, Ordering::Relaxed);
    }

    /// Begins anew if they are many; tells whether they were.
    fn are_many(&self) -> bool {
        let many = self.0.load(Ordering::Relaxed) >= WORTH;
        if many {
            self.0.store(0, Ordering::Relaxed);
        }
        many
    }
}

/// Makes room whenever much is gone. What fails is left to the server, which comes later.
pub(super) async fn keep(relay: &Relay) {
    loop {
        tokio::time::sleep(PAUSE).await;
        if relay.gone.are_many()
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
        let gone = Gone::default();
        gone.add(WORTH - 1);
        assert!(!gone.are_many());
        gone.add(1);
        assert!(gone.are_many() && !gone.are_many());
    }
}
