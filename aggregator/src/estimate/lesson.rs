//! What a finished order teaches: how long each stage took, and how long each was silent.

use super::course::{STAGES, courses};
use super::group::{Traits, groups, quiet_groups_of};
use crate::fold::{counts, fold};
use crate::turn::heard;
use chrono::TimeDelta;
use contract::event::OrderEvent;
use contract::milestone::{Kind, Milestone};
use contract::timeline::Timeline;
use std::collections::BTreeMap;

/// One duration of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lesson {
    /// The group.
    pub group: String,
    /// How long it took, in seconds.
    pub seconds: i32,
}

/// What an order teaches that was delivered; nothing of any other, nor one that was brought in when it was
/// under way: of that not every step is known. Each group learns one duration of an order, its longest: an
/// order of thirty lines is one order.
#[must_use]
pub fn lessons(timeline: &Timeline, history: &[OrderEvent], traits: &Traits) -> Vec<Lesson> {
    let imported = history.iter().any(|event| event.data.imported);
    if imported || !timeline.terminal || timeline.status != Milestone::ShipmentDelivered {
        return Vec::new();
    }
    let mut longest = BTreeMap::new();
    let mut learn = |groups: Vec<String>, took: TimeDelta| {
        // Clocks that contradict each other teach nothing.
        let Some(seconds) = i32::try_from(took.num_seconds()).ok().filter(|s| *s >= 0) else {
            return;
        };
        for group in groups {
            let known = longest.entry(group).or_insert(seconds);
            *known = seconds.max(*known);
        }
    };
    for (groups, took) in silences(timeline, history) {
        learn(groups, took);
    }
    for course in courses(timeline) {
        for (step, stage) in STAGES.into_iter().enumerate() {
            if let (Some(from), Some(to)) = (course.reached[step], course.reached[step + 1]) {
                learn(groups(stage, &course, traits), to - from);
            }
        }
    }
    longest.into_iter().map(|(group, seconds)| Lesson { group, seconds }).collect()
}

/// Of so many events a silence is learned at most: each is a fold of all before it.
const MOST_EVENTS: usize = 60;

/// How long nothing was heard at each stage where the order stood meanwhile, as whoever watched it saw it: by
/// the receipts or by the sources' clocks, whichever is longer (what is read again later was received at one
/// time).
fn silences(timeline: &Timeline, history: &[OrderEvent]) -> Vec<(Vec<String>, TimeDelta)> {
    let told = |event: &&OrderEvent| counts(event) && event.milestone.kind() != Kind::Side;
    let mut events: Vec<&OrderEvent> = history.iter().filter(told).collect();
    events.sort_by_key(|event| (event.receivedat, event.time, event.key()));
    events.truncate(MOST_EVENTS);
    let state = |count: usize| fold(&timeline.order, &events[..count]);
    let mut silences = Vec::new();
    let mut before = state(1);
    for (place, ended) in events.iter().enumerate().skip(1) {
        let after = state(place + 1);
        let pair = before.as_ref().zip(after.as_ref());
        silences.extend(pair.and_then(|(before, after)| {
            let (last, next) = (heard(before)?, heard(after)?);
            let took = (ended.receivedat - last.received_at).max(ended.time - last.at);
            (last.id != next.id).then(|| (quiet_groups_of(before), took))
        }));
        before = after;
    }
    silences
}
