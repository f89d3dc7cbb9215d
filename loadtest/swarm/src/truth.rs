//! What viewers have to end up with: the newest version of every channel.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The newest versions; cheap to clone.
#[derive(Clone)]
pub(crate) struct Truth {
    versions: Arc<Vec<AtomicU64>>,
    /// Bytes of a state.
    size: usize,
}

impl Truth {
    /// Channels in which nothing has happened, with states of so many bytes.
    pub(crate) fn new(channels: usize, size: usize) -> Self {
        Self { versions: Arc::new((0..channels).map(|_| AtomicU64::new(0)).collect()), size }
    }

    /// How many channels there are.
    pub(crate) fn channels(&self) -> usize {
        self.versions.len()
    }

    /// The newest version of a channel; 0 for one that is not there.
    pub(crate) fn newest(&self, channel: usize) -> u64 {
        self.versions.get(channel).map_or(0, |version| version.load(Ordering::Acquire))
    }

    /// Something happens in a channel: its new version.
    pub(crate) fn advance(&self, channel: usize) -> u64 {
        self.versions.get(channel).map_or(0, |version| version.fetch_add(1, Ordering::AcqRel) + 1)
    }

    /// A state, as the owner of the channel tells it: `t` when it was sent, `n` its version.
    pub(crate) fn state(&self, version: u64, sent: u64) -> String {
        let head = format!("{{\"t\":{sent},\"n\":{version},\"pad\":\"");
        format!("{head}{}\"}}", "x".repeat(self.size.saturating_sub(head.len() + 2)))
    }
}
