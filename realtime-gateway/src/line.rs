//! A viewer's line: its conversation and its queue put together, still without any I/O.

#[cfg(test)]
mod model;

use crate::frame::Frame;
use crate::hub::{Delivery, Hub, Inbox, Viewer};
use crate::session::{Effect, Session};
use chrono::{DateTime, Utc};
use contract::live::Close;
use contract::name::Channel;

/// What a line makes its shell do.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Frames to write, each with its `op`.
    pub frames: Vec<(&'static str, Frame)>,
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
    pub fn apply(&self, effects: impl IntoIterator<Item = Effect>) -> Outcome {
        let mut outcome = Outcome::default();
        self.carry_out(effects, &mut outcome);
        outcome
    }

    fn carry_out(&self, effects: impl IntoIterator<Item = Effect>, outcome: &mut Outcome) {
        for effect in effects {
            match effect {
                Effect::Send(op, frame) => outcome.frames.push((op, frame)),
                Effect::Watch(channel) => {
                    // Before its snapshot is read: in this order nothing falls between.
                    self.hub.watch(&channel.to_string(), &self.viewer);
                    outcome.entered.push(channel);
                }
                Effect::Unwatch(channel) => self.hub.unwatch(&channel.to_string(), &self.viewer),
                Effect::Close(close) => outcome.close = Some(close),
            }
        }
    }

    /// Waits for what the inbox brings. Cancel-safe.
    pub async fn next(&mut self) -> Delivery {
        self.inbox.next().await
    }

    /// What a delivery makes the session say. When nothing else waits, the channels whose states
    /// did not fit get their newest one. A right that was taken away meanwhile is gone first,
    /// however long the viewer has not read.
    pub fn deliver(&mut self, delivery: &Delivery, now: DateTime<Utc>) -> Outcome {
        let mut outcome = Outcome::default();
        let looked = self.session.look(now);
        self.carry_out(looked, &mut outcome);
        if outcome.close.is_none() {
            let effect = match delivery {
                Delivery::Snapshot(channel, state) => self.session.snapshot(channel, state.clone()),
                Delivery::Publication(state) => self.session.publication(state),
                Delivery::Look => None,
                Delivery::End(close) => Some(Effect::Close(*close)),
            };
            self.carry_out(effect, &mut outcome);
            let missed = self.catch_up();
            self.carry_out(missed, &mut outcome);
        }
        outcome
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

impl Drop for Line {
    fn drop(&mut self) {
        self.hub.leave(&self.viewer);
        for channel in self.session.channels() {
            self.hub.unwatch(channel, &self.viewer);
        }
    }
}
