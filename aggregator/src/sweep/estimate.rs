//! Estimates of open orders, and what finished ones teach.

use super::derive::derived;
use crate::day::zone_of;
use crate::draft::Draft;
use crate::estimate::{Book, Forecast, Lesson, Traits, forecast, lessons, needs};
use crate::store::order::Known;
use crate::store::{duration, order};
use chrono::{DateTime, TimeDelta, Utc};
use contract::event::{EtaRange, OrderEvent};
use contract::milestone::Milestone;
use contract::timeline::Timeline;
use sqlx::PgConnection;

/// An order that is to be estimated, or that teaches.
pub(super) struct Case {
    pub(super) timeline: Timeline,
    traits: Traits,
    zone: chrono_tz::Tz,
}

impl Case {
    pub(super) fn new(timeline: Timeline, history: &[OrderEvent], known: Option<&Known>) -> Self {
        let zone = known.and_then(|known| known.customer.time_zone.as_deref());
        Self { timeline, traits: Traits::of(history), zone: zone_of(zone) }
    }
}

/// What is expected of these orders, where that is news; and when to look at the others again.
pub(super) async fn estimate(
    connection: &mut PgConnection,
    cases: &[Case],
    floor: usize,
    now: DateTime<Utc>,
) -> Result<(Vec<Draft>, Vec<Again>), sqlx::Error> {
    let mut groups: Vec<String> =
        cases.iter().flat_map(|case| needs(&case.timeline, &case.traits)).collect();
    groups.sort_unstable();
    groups.dedup();
    let book = duration::book(connection, &groups).await?;
    let (mut drafts, mut again) = (Vec::new(), Vec::new());
    for case in cases {
        match news(case, &book, floor, now) {
            Some(draft) => drafts.push(draft),
            None => again.push((case.timeline.order.to_string(), later(&case.timeline, now))),
        }
    }
    Ok((drafts, again))
}

/// An order that is looked at again, and when.
pub(super) type Again = (String, DateTime<Utc>);

/// Once what is expected is over; what cannot be expected yet, in a day.
fn later(timeline: &Timeline, now: DateTime<Utc>) -> DateTime<Utc> {
    let over = timeline.eta.as_ref().map(|eta| eta.range.latest);
    over.filter(|over| *over > now).unwrap_or(now + TimeDelta::days(1))
}

/// The estimate of an order, unless it is what was said already.
fn news(case: &Case, book: &Book, floor: usize, now: DateTime<Utc>) -> Option<Draft> {
    let Case { timeline, traits, zone } = case;
    let range = forecast(Forecast { timeline, traits, zone: *zone, now, floor }, book)?;
    let before: Option<EtaRange> = timeline.eta.as_ref().map(|eta| eta.range);
    let code = if before.is_some() { Milestone::EtaRevised } else { Milestone::EtaSet };
    let id = format!("estimate:{}", timeline.version);
    let mut draft = derived(timeline, id, code, now);
    draft.data.eta = Some(range);
    (before != Some(range)).then_some(draft)
}

/// What finished orders teach.
#[derive(Default)]
pub(super) struct Taught {
    lessons: Vec<Lesson>,
    orders: Vec<String>,
}

impl Taught {
    /// Hears of one more; each teaches once.
    pub(super) fn hear(&mut self, timeline: &Timeline, history: &[OrderEvent]) {
        self.lessons.extend(lessons(timeline, history, &Traits::of(history)));
        self.orders.push(timeline.order.to_string());
    }

    /// Learns it.
    pub(super) async fn learn(self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        duration::learn(connection, &self.lessons).await?;
        order::learned(connection, &self.orders).await
    }

    /// Has this one taught just now?
    pub(super) fn by(&self, order: &str) -> bool {
        self.orders.iter().any(|taught| taught == order)
    }
}
