//! When an order is to be looked at again, and for what.

use super::recent::Recent;
use crate::estimate::{self, Patience};
use crate::promise::{self, Due};
use crate::question::{self, Question, Want};
use crate::silence::{self, SILENCE};
use crate::store::order::Known;
use chrono::{DateTime, TimeDelta, Utc};
use contract::milestone::Milestone;
use contract::timeline::Timeline;
use service_kit::clock;
use std::sync::{Arc, PoisonError, RwLock};

/// Names in the index of due times: an order is to be estimated; a finished one teaches.
pub const ESTIMATE: &str = "estimate";
/// See [`ESTIMATE`].
pub const LEARN: &str = "learn";

/// What the pipeline is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long an order must have been quiet before something is said by the clock alone.
    pub derive_grace: TimeDelta,
    /// Fewer finished orders than this say nothing of a group.
    pub estimate_floor: usize,
    /// How long each step is usually silent; refreshed as orders finish.
    pub patience: Usual,
    /// Histories of orders that were worked on a moment ago.
    pub recent: Recent,
    /// What other systems are asked.
    pub questions: Arc<[Question]>,
}

/// What is usual, as it was read last.
#[derive(Debug, Clone, Default)]
pub struct Usual(Arc<RwLock<Arc<Patience>>>);

impl Usual {
    /// As it is now.
    #[must_use]
    pub fn get(&self) -> Arc<Patience> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another one.
    pub fn set(&self, patience: Patience) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(patience);
    }
}

/// A finished order teaches this many graces after its last news (ten minutes, as it comes), so
/// that what is taken back at once teaches nothing.
const TO_LEARN: i32 = 10;

/// When an order is to be looked at again, and for what.
#[must_use]
pub fn due_times(
    timeline: &Timeline,
    known: &Known,
    settings: &Settings,
) -> Vec<(String, &'static str, DateTime<Utc>)> {
    let (zone, grace) = (known.customer.time_zone.as_deref(), settings.derive_grace);
    let said = Due::ALL
        .into_iter()
        .filter_map(|due| Some((due.kind(), promise::look_at(timeline, due, zone, grace)?)));
    let usual = settings.patience.get();
    let silent = silence::watch(timeline, &usual).map(|watch| (SILENCE, watch.at));
    let quiet = timeline.updated_at + grace;
    let estimate = estimate::due_at(timeline).filter(|_| usual.expects);
    let estimate = estimate.map(|at| (ESTIMATE, at.max(quiet)));
    let finished = timeline.status == Milestone::ShipmentDelivered && !known.learned;
    let learn = finished.then(|| (LEARN, timeline.updated_at + grace * TO_LEARN));
    let all = said.chain(silent).chain(estimate).chain(learn);
    all.map(|(kind, at)| (timeline.order.to_string(), kind, at)).collect()
}

/// What is to be asked of an order; another stage is asked about after half an interval or so, a
/// report at once.
#[must_use]
pub fn asks(timeline: &Timeline, settings: &Settings) -> Vec<(String, Want, DateTime<Utc>)> {
    let now = clock::now();
    let each = question::wants(timeline, &settings.questions).into_iter().map(|want| {
        let reported = timeline.entries.iter().any(|entry| entry.id == want.stage);
        let wait = if reported { TimeDelta::zero() } else { want.interval / 2 };
        let at = question::next(now, wait, 0, fastrand::f64());
        (timeline.order.to_string(), want, at)
    });
    each.collect()
}
