//! What a customer, a shop's back end and an operator do from outside: REST, WebSocket, SSE,
//! mail box. For checks, tests and fault runs.

mod rest;
mod live;
mod stream;

pub use live::LiveClient;
pub use rest::{Letter, Rest};
pub use stream::StreamClient;

use serde_json::Value;
use tokio::time::Instant;

/// A frame that came, and when.
#[derive(Debug, Clone)]
pub struct Seen {
    /// When.
    pub at: Instant,
    /// The frame.
    pub frame: Value,
}

impl Seen {
    /// The frame's `op`.
    #[must_use]
    pub fn op(&self) -> &str {
        self.frame["op"].as_str().unwrap_or_default()
    }

    /// The frame's version.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.frame["version"].as_u64().unwrap_or(0)
    }

    /// Is it about this channel?
    #[must_use]
    pub fn about(&self, channel: &str) -> bool {
        self.frame["channel"] == channel
    }
}
