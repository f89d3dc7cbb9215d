//! A viewer's line: its conversation and its queue put together, still without any I/O.

#[cfg(test)]
mod model;

use crate::hub::{Delivery, Hub, Inbox, Viewer};
use crate::session::{Effect, Session};
use axum::extract::ws::Utf8Bytes;
use chrono::{DateTime, Utc};
use contract::live::Close;
use contract::name::Channel;

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
    inbox: Inbox,
}

impl Line {
    /// A line that watches nothing yet.
    #[must_use]
    pub fn new(session: Session, hub: Hub) -> Self {
        let (viewer, inbox) = Viewer::new();
        hub.enter(&viewer);
        Self { session, hub, viewer, inbox }
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

    /// Waits for what the inbox brings. Cancel-safe.
    pub async fn next(&mut self) -> Delivery {
        self.inbox.next().await
    }

    /// What a delivery makes the session say. When nothing else waits, the channels whose states
    /// did not fit get their newest one. A right that was taken away meanwhile is gone first,
    /// however long the viewer has not read.
    pub fn deliver(&mut self, delivery: Delivery, now: DateTime<Utc>) -> Outcome {
        let mut effects = self.session.look(now);
        if !ends(&effects) {
            effects.extend(match delivery {
                Delivery::Snapshot(channel, state) => self.session.snapshot(&channel, state),
                Delivery::Publication(state) => {
                    self.session.publication(&state).into_iter().collect()
                }
                Delivery::Look => Vec::new(),
                Delivery::End(close) => vec![Effect::Close(close)],
            });
            effects.extend(self.catch_up());
        }
        self.apply(effects)
    }

    /// When [`Session::deadline`] has come: the session's clock.
    pub fn tick(&mut self, now: DateTime<Utc>) -> Outcome {
        let effects = self.session.tick(now);
        self.apply(effects)
    }

    fn catch_up(&mut self) -> Vec<Effect> {
        let behind = self.inbox.take_behind();
        let newest = behind.iter().filter_map(|channel| self.hub.newest(channel));
        newest.filter_map(|state| self.session.publication(&state)).collect()
    }
}

fn ends(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Close(_)))
}

impl Drop for Line {
    fn drop(&mut self) {
        self.hub.leave(&self.viewer);
        for channel in self.session.channels() {
            self.hub.unwatch(channel, &self.viewer);
        }
    }
}
