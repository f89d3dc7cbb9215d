//! Puts the stages that are left together: of each, a duration of a like order is drawn, some
//! hundred times; the range holds all but the earliest and the latest 15 of 100 sums, and is
//! widened to whole days of the customer's.
//!
//! Sums of quantiles would be too wide: not every stage of one order is its slowest.

use super::course::{Course, STAGES, Stage, courses};
use super::group::{Traits, groups};
use super::sample::{Book, Samples, quantile};
use crate::day::whole_days;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use contract::event::EtaRange;
use contract::milestone::Milestone;
use contract::timeline::{Eta, EtaEntry, EtaSource, Timeline};
use std::collections::BTreeMap;

/// How often the way that is left is played through.
const PLAYS: usize = 400;
/// The earliest and the latest end of the range, per thousand.
const ENDS: (usize, usize) = (150, 850);

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Forecast<'a> {
    /// The order.
    pub timeline: &'a Timeline,
    /// Where it goes.
    pub traits: &'a Traits,
    /// Whose days they are.
    pub zone: Tz,
    /// Now.
    pub now: DateTime<Utc>,
    /// Fewer durations than this say nothing of a group.
    pub floor: usize,
}

/// When an order that nobody tells an ETA of is to be estimated (anew): once it has reached
/// another step, or once the estimate is over. What a carrier or the shop tells counts until it is over.
#[must_use]
pub fn due_at(timeline: &Timeline) -> Option<DateTime<Utc>> {
    let told = |eta: &Eta| eta.source != EtaSource::Estimate;
    let mut open = timeline.items.iter().filter(|item| !item.status.is_terminal());
    // Nobody waits for what goes back to the shop: as the fold shows none then, each would be news.
    if timeline.terminal || open.all(|item| item.status.goes_back()) {
        return None;
    }
    if let Some(eta) = timeline.eta.as_ref().filter(|eta| told(eta)) {
        return Some(eta.range.latest);
    }
    let is_step = |code: Milestone| {
        matches!(
            code,
            Milestone::OrderConfirmed
                | Milestone::ProductionStarted
                | Milestone::ProductionQcFailed
                | Milestone::ProductionFinished
                | Milestone::ShipmentHandedOver
                | Milestone::ShipmentInTransit
        )
    };
    let steps = timeline.entries.iter().filter(|entry| is_step(entry.milestone));
    let newest = steps.map(|entry| entry.received_at).max()?;
    let estimated = timeline.eta.as_ref().and_then(|eta| Some((eta, last_estimate(eta)?)));
    match estimated {
        Some((eta, last)) if last.at >= newest => Some(eta.range.latest),
        _ => Some(newest),
    }
}

/// What was estimated last.
fn last_estimate(eta: &Eta) -> Option<&EtaEntry> {
    eta.history.iter().rfind(|entry| entry.source == EtaSource::Estimate)
}

/// The stages that an open line still has before it, the present one first.
fn left(course: &Course<'_>) -> impl Iterator<Item = Stage> {
    let here = course.here().map_or(STAGES.len(), |(step, _)| step);
    STAGES.into_iter().skip(here)
}

/// The groups that something must be known of.
#[must_use]
pub fn needs(timeline: &Timeline, traits: &Traits) -> Vec<String> {
    let open = courses(timeline).into_iter().filter(Course::is_open);
    let all = open.flat_map(|course| {
        let of = |stage| groups(stage, &course, traits);
        left(&course).flat_map(of).collect::<Vec<_>>()
    });
    all.collect()
}

/// A line's way from here, with what is known of each stage.
struct Way<'a> {
    parcel: Option<&'a str>,
    from: DateTime<Utc>,
    /// What the present stage has taken already, in seconds.
    spent: i64,
    stages: Vec<(Stage, Samples)>,
}

/// When the order will be there. None when a stage that is left is not known well enough.
#[must_use]
pub fn forecast(asked: Forecast<'_>, book: &Book) -> Option<EtaRange> {
    let courses = courses(asked.timeline);
    let open = courses.iter().filter(|course| course.is_open());
    let ways: Vec<Way<'_>> = open.map(|c| way(c, asked, book)).collect::<Option<_>>()?;
    let mut random = fastrand::Rng::with_seed(seed(asked.timeline.order.as_str()));
    let mut sums: Vec<i64> =
        (0..PLAYS).filter_map(|_| play(&ways, asked.now, &mut random)).collect();
    let first = DateTime::from_timestamp(quantile(&mut sums, ENDS.0)?, 0)?;
    let last = DateTime::from_timestamp(quantile(&mut sums, ENDS.1)?, 0)?;
    let day = |time: DateTime<Utc>| time.with_timezone(&asked.zone).date_naive();
    whole_days(day(first), day(last), asked.zone)
}

fn way<'a>(course: &Course<'a>, asked: Forecast<'_>, book: &Book) -> Option<Way<'a>> {
    let (_, from) = course.here()?;
    let spent = (asked.now - from).num_seconds().max(0);
    let known =
        |stage| Some((stage, book.known(&groups(stage, course, asked.traits), asked.floor)?));
    let mut stages = Vec::new();
    for (place, stage) in left(course).enumerate() {
        let (stage, samples) = known(stage)?;
        let samples = if place == 0 { samples.beyond(spent) } else { samples.clone() };
        stages.push((stage, samples));
    }
    Some(Way { parcel: course.item.shipment.as_deref(), from, spent, stages })
}

/// One play: lines of one parcel wait for each other, and travel together.
fn play(ways: &[Way<'_>], now: DateTime<Utc>, random: &mut fastrand::Rng) -> Option<i64> {
    let mut parcels: BTreeMap<Option<&str>, (i64, i64)> = BTreeMap::new();
    for way in ways {
        let (mut ready, mut carried) = (way.from.timestamp(), 0);
        for (place, (stage, samples)) in way.stages.iter().enumerate() {
            // None ever took as long as this one has: half as long again.
            let took = samples.draw(random).or((place == 0).then_some(way.spent * 3 / 2))?;
            match stage {
                Stage::Carry => carried = took,
                _ => ready += took,
            }
        }
        let parcel = parcels.entry(way.parcel).or_insert((ready, carried));
        parcel.0 = parcel.0.max(ready);
    }
    let there = parcels.into_values().map(|(ready, carried)| ready + carried).max()?;
    Some(there.max(now.timestamp()))
}

/// The same order is played the same way (FNV-1a).
fn seed(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
