//! What a finished order teaches: how long each stage took, and how long each was silent.

use super::course::{STAGES, courses};
use super::group::{Traits, groups, quiet_groups};
use chrono::TimeDelta;
use contract::milestone::{Kind, Milestone};
use contract::timeline::{Entry, Timeline};

/// One duration of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lesson {
    /// The group.
    pub group: String,
    /// How long it took, in seconds.
    pub seconds: i32,
}

/// What an order teaches that was delivered; nothing of any other.
#[must_use]
pub fn lessons(timeline: &Timeline, traits: &Traits) -> Vec<Lesson> {
    if !timeline.terminal || timeline.status != Milestone::ShipmentDelivered {
        return Vec::new();
    }
    let mut all = silences(timeline);
    for course in courses(timeline) {
        for (step, stage) in STAGES.into_iter().enumerate() {
            let (Some(from), Some(to)) = (course.reached[step], course.reached[step + 1]) else {
                continue;
            };
            let groups = groups(stage, &course, traits);
            all.extend(groups.into_iter().filter_map(|group| lesson(group, to - from)));
        }
    }
    all
}

/// A duration; none when the clocks contradict each other.
fn lesson(group: String, took: TimeDelta) -> Option<Lesson> {
    let seconds = i32::try_from(took.num_seconds()).ok().filter(|seconds| *seconds >= 0)?;
    Some(Lesson { group, seconds })
}

/// How long nothing happened after each step.
fn silences(timeline: &Timeline) -> Vec<Lesson> {
    let told = |entry: &&Entry| {
        entry.corrected_by.is_none() && !matches!(entry.milestone.kind(), Kind::Side | Kind::Info)
    };
    let steps: Vec<&Entry> = timeline.entries.iter().filter(told).collect();
    let pairs = steps.windows(2).flat_map(|pair| {
        let groups = quiet_groups(pair[0].milestone, Some(&pair[0].source));
        groups.into_iter().filter_map(|group| lesson(group, pair[1].at - pair[0].at))
    });
    pairs.collect()
}
