//! A viewer's line: its conversation and its queue put together, still without any I/O.

#[cfg(test)]
mod model;

use crate::hub::{Delivery, Hub, Viewer};
use crate::session::{Effect, Session};
use axum::extract::ws::Utf8Bytes;
use chrono::{DateTime, Utc};
use contract::live::Close;
use contract::name::Channel;
use tokio::sync::mpsc::Receiver;

/// What a line makes its shell do.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Frames to write: `op` and text.
    pub frames: Vec<(&'static str, Utf8Bytes)>,
    /// Channels that were entered: their snapshots are to be fetched.
    pub entered: Vec<Channel>,
    /// Whether that is the end.
    pub close: Option<Close>,
}

/// A line. Dropping it leaves every channel.
pub struct Line {
    /// The conversation.
    pub session: Session,
    hub: Hub,
    viewer: Viewer,
    queue: Receiver<Delivery>,
}

impl Line {
    /// A line that watches nothing yet.
    #[must_use]
    pub fn new(session: Session, hub: Hub) -> Self {
        let (viewer, queue) = Viewer::new();
        Self { session, hub, viewer, queue }
    }

    /// Where its snapshots go.
    #[must_use]
    pub const fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    /// Enters and leaves channels; what else is to be done is the shell's.
    pub fn apply(&mut self, effects: impl IntoIterator<Item = Effect>) -> Outcome {
        let mut outcome = Outcome::default();
        for effect in effects {
            match effect {
                Effect::Send(op, text) => outcome.frames.push((op, text)),
                Effect::Watch(channel) => {
                    // Before its snapshot is read: in this order nothing falls between.
                    self.hub.watch(&channel.to_string(), &self.viewer);
                    outcome.entered.push(channel);
                }
                Effect::Unwatch(channel) => self.hub.unwatch(&channel.to_string(), &self.viewer),
                Effect::Close(close) => outcome.close = Some(close),
            }
        }
        outcome
    }

    /// Waits for what the queue brings. Cancel-safe.
    pub async fn next(&mut self) -> Option<Delivery> {
        self.queue.recv().await
    }

    /// What a delivery makes the session say. When the queue is empty, the channels whose states
    /// did not fit get their newest one.
    pub fn deliver(&mut self, delivery: Delivery) -> Outcome {
        let mut effects = match delivery {
            Delivery::Snapshot(channel, state) => self.session.snapshot(&channel, state),
            Delivery::Publication(state) => self.session.publication(&state).into_iter().collect(),
        };
        effects.extend(self.catch_up());
        self.apply(effects)
    }

    /// About once a second: the session's clock, and what is behind.
    pub fn tick(&mut self, now: DateTime<Utc>) -> Outcome {
        let mut effects = self.session.tick(now);
        effects.extend(self.catch_up());
        self.apply(effects)
    }

    fn catch_up(&mut self) -> Vec<Effect> {
        if !self.queue.is_empty() {
            return Vec::new();
        }
        let behind = self.viewer.take_behind();
        let newest = behind.iter().filter_map(|channel| self.hub.newest(channel));
        newest.filter_map(|state| self.session.publication(&state)).collect()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        for channel in self.session.channels() {
            self.hub.unwatch(channel, &self.viewer);
        }
    }
}
