//! The state of one channel, encoded once for everybody who watches it.

use axum::extract::ws::Utf8Bytes;
use contract::live::ServerFrame;
use serde_json::value::RawValue;
use std::sync::Arc;

/// A state with its `update` frame. Cloning is a reference count.
#[derive(Debug, Clone)]
pub struct State(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    channel: String,
    version: u64,
    data: Box<RawValue>,
    update: Utf8Bytes,
}

impl State {
    /// Encodes a state.
    #[must_use]
    pub fn new(channel: &str, version: u64, data: Box<RawValue>) -> Self {
        let update = ServerFrame::Update { channel, version, data: &data }.encode().into();
        Self(Arc::new(Inner { channel: channel.to_owned(), version, data, update }))
    }

    /// The channel's name.
    #[must_use]
    pub fn channel(&self) -> &str {
        &self.0.channel
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.0.version
    }

    /// The state itself.
    #[must_use]
    pub fn data(&self) -> &RawValue {
        &self.0.data
    }

    /// The `update` frame: shared, not copied.
    #[must_use]
    pub fn update(&self) -> Utf8Bytes {
        self.0.update.clone()
    }
}
