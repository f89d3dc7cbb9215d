//! What both shells do alike: the session with its queue, and one way out for every end.

use crate::gateway::{Gateway, Place};
use crate::hub::{Delivery, Viewer};
use crate::metric;
use crate::session::{Effect, Session};
use axum::extract::ws::Utf8Bytes;
use contract::live::{Close, ServerFrame};
use service_kit::clock;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;
use uuid::Uuid;

/// Frames to write, and whether that is the end.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) frames: Vec<(&'static str, Utf8Bytes)>,
    pub(super) close: Option<Close>,
}

/// A connection. However it ends, dropping it leaves every channel and frees the place.
pub(super) struct Connection {
    pub(super) gateway: Gateway,
    pub(super) session: Session,
    viewer: Viewer,
    queue: Receiver<Delivery>,
    transport: &'static str,
    closed: &'static str,
    _place: Place,
}

impl Connection {
    pub(super) fn open(gateway: Gateway, transport: &'static str, place: Place) -> Self {
        let (viewer, queue) = Viewer::new();
        let id = Uuid::now_v7().simple().to_string();
        let keys = (gateway.auth.clone(), gateway.denied.clone());
        let session = Session::new(keys, id, gateway.rules, clock::now());
        metric::viewers(transport, 1.0);
        Self { gateway, session, viewer, queue, transport, closed: "viewer", _place: place }
    }

    /// Carries out what is no writing; returns what is.
    pub(super) fn apply(&mut self, effects: impl IntoIterator<Item = Effect>) -> Outcome {
        let mut outcome = Outcome::default();
        for effect in effects {
            match effect {
                Effect::Send(op, text) => outcome.frames.push((op, text)),
                Effect::Watch(channel) => self.gateway.watch(channel, &self.viewer),
                Effect::Unwatch(channel) => {
                    self.gateway.hub.unwatch(&channel.to_string(), &self.viewer);
                }
                Effect::Close(close) => {
                    self.closed = close.label();
                    outcome.close = Some(close);
                }
            }
        }
        outcome
    }

    /// Waits for what the queue brings. Cancel-safe.
    pub(super) async fn next(&mut self) -> Option<Delivery> {
        self.queue.recv().await
    }

    /// What a delivery makes the session say. When the queue is empty, the channels whose states
    /// did not fit get their newest one.
    pub(super) fn deliver(&mut self, delivery: Delivery) -> Outcome {
        let mut effects = match delivery {
            Delivery::Snapshot(channel, state) => self.session.snapshot(&channel, state),
            Delivery::Publication(state) => self.session.publication(&state).into_iter().collect(),
        };
        if self.queue.is_empty() {
            effects.extend(self.catch_up());
        }
        self.apply(effects)
    }

    fn catch_up(&mut self) -> Vec<Effect> {
        let behind = self.viewer.take_behind();
        let newest = behind.iter().filter_map(|channel| self.gateway.hub.newest(channel));
        newest.filter_map(|state| self.session.publication(&state)).collect()
    }

    /// About once a second: the session's clock, and what is behind.
    pub(super) fn tick(&mut self) -> Outcome {
        let mut effects = self.session.tick(clock::now());
        if self.queue.is_empty() {
            effects.extend(self.catch_up());
        }
        self.apply(effects)
    }

    /// Ends it, for the metric.
    pub(super) fn close(&mut self, close: Close) -> Outcome {
        self.apply([Effect::Close(close)])
    }

    /// Waits for the stop, then for this viewer's turn in the drain window.
    pub(super) fn drained(&self) -> impl Future<Output = ()> + use<> {
        let (soft, window) = (self.gateway.life.soft().clone(), self.gateway.drain_window);
        async move {
            soft.cancelled().await;
            tokio::time::sleep(window.mul_f64(fastrand::f64())).await;
        }
    }
}

/// The frame before the end, with a random time to come back, so that not all come at once.
pub(super) fn goodbye(close: Close) -> Utf8Bytes {
    let wait = Duration::from_millis(fastrand::u64(100..2000));
    let reconnect_after_ms =
        (close.code() < 4400).then(|| u64::try_from(wait.as_millis()).unwrap_or(1000));
    ServerFrame::Goodbye { code: close.code(), reconnect_after_ms }.encode().into()
}

impl Drop for Connection {
    fn drop(&mut self) {
        for channel in self.session.channels() {
            self.gateway.hub.unwatch(channel, &self.viewer);
        }
        metric::viewers(self.transport, -1.0);
        metric::closed(self.transport, self.closed);
    }
}
