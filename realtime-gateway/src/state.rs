//! The state of one channel, encoded once for everybody who watches it.

use axum::extract::ws::Utf8Bytes;
use contract::live::ServerFrame;
use serde_json::value::RawValue;
use std::sync::{Arc, OnceLock};

/// A state with its `update` frame. Cloning is a reference count.
#[derive(Debug, Clone)]
pub struct State(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    channel: String,
    version: u64,
    data: Box<RawValue>,
    /// Encoded when the first viewer needs it: a snapshot's never is.
    update: OnceLock<Utf8Bytes>,
}

impl State {
    /// A state.
    #[must_use]
    pub fn new(channel: &str, version: u64, data: Box<RawValue>) -> Self {
        let update = OnceLock::new();
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
        let encode = || {
            let (channel, version, data) = (self.channel(), self.version(), self.data());
            ServerFrame::Update { channel, version, data }.encode().into()
        };
        self.0.update.get_or_init(encode).clone()
    }
}
