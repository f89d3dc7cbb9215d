//! What a finished order teaches: how long each stage took, and how long each was silent.

use super::course::{STAGES, courses};
use super::group::{Traits, groups, quiet_groups};
use chrono::TimeDelta;
use contract::milestone::{Kind, Milestone};
use contract::timeline::{Entry, Timeline};
use std::collections::BTreeMap;

/// One duration of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lesson {
    /// The group.
    pub group: String,
    /// How long it took, in seconds.
    pub seconds: i32,
}

/// What an order teaches that was delivered; nothing of any other. Each group learns one duration
/// of an order, its longest: an order of thirty lines is one order.
#[must_use]
pub fn lessons(timeline: &Timeline, traits: &Traits) -> Vec<Lesson> {
    if !timeline.terminal || timeline.status != Milestone::ShipmentDelivered {
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
    for (groups, took) in silences(timeline) {
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

/// How long nothing was heard after each step: by the sources' clocks or by the receipts, whichever
/// is longer, since a system that tells of its whole day at night is silent all day.
fn silences(timeline: &Timeline) -> Vec<(Vec<String>, TimeDelta)> {
    let told = |entry: &&Entry| {
        entry.corrected_by.is_none() && !matches!(entry.milestone.kind(), Kind::Side | Kind::Info)
    };
    let steps: Vec<&Entry> = timeline.entries.iter().filter(told).collect();
    let pairs = steps.windows(2).map(|pair| {
        let groups = quiet_groups(pair[0].milestone, Some(&pair[0].source));
        let heard = pair[1].received_at - pair[0].received_at;
        (groups, heard.max(pair[1].at - pair[0].at))
    });
    pairs.collect()
}
