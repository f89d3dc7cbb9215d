//! The state of one channel, encoded once for everybody who watches it.

use crate::frame::Frame;
use chrono::{DateTime, Utc};
use contract::live::ServerFrame;
use serde_json::value::RawValue;
use service_kit::span;
use service_kit::trace::TraceContext;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, UNIX_EPOCH};

/// A state with its `update` frame. Cloning is a reference count.
#[derive(Debug, Clone)]
pub struct State(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    channel: String,
    version: u64,
    data: Box<RawValue>,
    /// Unix milliseconds; none of a state that was read.
    published_at: Option<i64>,
    /// The trace that it belongs to (W3C), where somebody wants to see it.
    trace: Option<Box<str>>,
    /// Encoded when the first viewer needs it: a snapshot's never is.
    update: OnceLock<Frame>,
}

impl State {
    /// A state.
    #[must_use]
    pub fn new(channel: &str, version: u64, data: Box<RawValue>) -> Self {
        let update = OnceLock::new();
        let channel = channel.to_owned();
        Self(Arc::new(Inner { channel, version, data, published_at: None, trace: None, update }))
    }

    /// The same, with the time of its publication (Unix milliseconds) and its trace.
    #[must_use]
    pub fn published(mut self, at_ms: i64, trace: Option<&str>) -> Self {
        // Nobody else holds it yet.
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.published_at = Some(at_ms);
            inner.trace = trace.filter(|_| span::is_wanted()).map(Into::into);
        }
        self
    }

    /// How long ago it was published, if it came over the bus.
    #[must_use]
    pub fn age(&self, now: DateTime<Utc>) -> Option<Duration> {
        let age = now.timestamp_millis() - self.0.published_at?;
        Some(Duration::from_millis(u64::try_from(age).unwrap_or(0)))
    }

    /// It was written to a viewer's socket: the last step of its trace.
    pub fn written(&self) {
        let trace = self.0.trace.as_deref().and_then(TraceContext::parse);
        if let Some((trace, at)) = trace.zip(self.0.published_at) {
            let began = UNIX_EPOCH + Duration::from_millis(u64::try_from(at).unwrap_or(0));
            let version = self.version().to_string();
            let said = vec![
                ("milepost.channel", self.channel().to_owned()),
                ("milepost.version", version),
            ];
            span::record("deliver", span::Kind::Take, &trace.child(), began, said);
        }
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
    pub fn update(&self) -> Frame {
        let encode = || {
            let (channel, version, data) = (self.channel(), self.version(), self.data());
            Frame::new(&ServerFrame::Update { channel, version, data }.encode())
        };
        self.0.update.get_or_init(encode).clone()
    }
}
