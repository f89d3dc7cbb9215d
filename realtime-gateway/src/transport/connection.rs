//! What both shells do alike: a line with its place, and one way out for every end.

use crate::census::{Entry, Person};
use crate::drain;
use crate::frame::Frame;
use crate::gateway::{Gateway, Place};
use crate::hub::Delivery;
use crate::line::{Line, Outcome};
use crate::metric;
use crate::session::{Effect, Session};
use crate::state::State;
use contract::live::{Close, ServerFrame};
use service_kit::clock;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// A connection. However it ends, dropping it leaves every channel and frees the place.
pub(super) struct Connection {
    pub(super) gateway: Gateway,
    line: Line,
    transport: &'static str,
    closed: &'static str,
    /// When it shall go to another gateway.
    turn: Instant,
    /// In the register, once it is known who this is.
    entry: Option<Entry>,
    _place: Place,
}

impl Connection {
    pub(super) fn open(gateway: Gateway, transport: &'static str, place: Place) -> Self {
        let id = Uuid::now_v7().simple().to_string();
        let session = Session::new(gateway.authenticator.clone(), id, gateway.rules, clock::now());
        let line = Line::new(session, gateway.hub.clone());
        metric::viewers(transport, 1.0);
        let turn = drain::turn(&gateway.life, gateway.rotate_after);
        Self { gateway, line, transport, closed: "viewer", turn, entry: None, _place: place }
    }

    pub(super) const fn session(&self) -> &Session {
        &self.line.session
    }

    /// Has the session say something, and carries out what follows but for the writing.
    pub(super) fn tell(&mut self, what: impl FnOnce(&mut Session) -> Vec<Effect>) -> Outcome {
        let effects = what(&mut self.line.session);
        let outcome = self.line.apply(effects);
        let outcome = self.follow(outcome);
        if self.entry.is_none() && !self.enter() {
            metric::refused("subject_full");
            return self.follow(Outcome { close: Some(Close::Overload), ..Outcome::default() });
        }
        outcome
    }

    /// False when whoever this is has too many connections already.
    fn enter(&mut self) -> bool {
        let session = &self.line.session;
        let Some(subject) = session.subject() else {
            return true;
        };
        self.entry = self.gateway.census.enter(Person {
            viewer: self.line.viewer().clone(),
            connection: session.id().into(),
            subject: subject.into(),
            transport: self.transport,
            since: clock::now(),
        });
        if self.entry.is_some() {
            metric::connect(self.transport, "welcome");
        }
        self.entry.is_some()
    }

    fn follow(&mut self, mut outcome: Outcome) -> Outcome {
        for channel in outcome.entered.drain(..) {
            self.gateway.ladder.ask(channel, self.line.viewer());
        }
        if let Some(close) = outcome.close {
            self.closed = close.label();
        }
        outcome
    }

    /// Waits for what the inbox brings. Cancel-safe.
    pub(super) async fn next(&mut self) -> Delivery {
        self.line.next().await
    }

    pub(super) fn deliver(&mut self, delivery: &Delivery) -> Outcome {
        let outcome = self.line.deliver(delivery, clock::now());
        self.follow(outcome)
    }

    /// When [`Self::deadline`] has come.
    pub(super) fn tick(&mut self) -> Outcome {
        if Instant::now() >= self.turn {
            return self.close(Close::Drain);
        }
        let outcome = self.line.tick(clock::now());
        self.follow(outcome)
    }

    /// When the session has to look at the clock or the viewer's turn has come, at the latest after
    /// `most`: wall clocks jump.
    pub(super) fn deadline(&self, most: Duration) -> Instant {
        let left = (self.line.session.deadline() - clock::now()).to_std().unwrap_or_default();
        // A deadline that has just come is not looked at over and over.
        let look = Instant::now() + left.min(most).max(Duration::from_millis(10));
        look.min(self.turn)
    }

    /// Ends it, for the metric.
    pub(super) fn close(&mut self, close: Close) -> Outcome {
        self.tell(|_| vec![Effect::Close(close)])
    }
}

/// A state that came over the bus is on the viewer's way.
pub(super) fn written(state: &State) {
    if let Some(age) = state.age(clock::now()) {
        metric::written(age);
        state.written();
    }
}

/// The frame before the end, with a random time to come back, so that not all come at once.
pub(super) fn goodbye(close: Close) -> Frame {
    let wait = Duration::from_millis(fastrand::u64(100..2000));
    let reconnect_after_ms =
        (close.code() < 4400).then(|| u64::try_from(wait.as_millis()).unwrap_or(1000));
    Frame::new(&ServerFrame::Goodbye { code: close.code(), reconnect_after_ms }.encode())
}

impl Drop for Connection {
    fn drop(&mut self) {
        metric::viewers(self.transport, -1.0);
        metric::closed(self.transport, self.closed);
        if self.entry.is_none() {
            metric::connect(self.transport, self.closed);
        }
    }
}
