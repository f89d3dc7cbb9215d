//! What was learned of a group: how long its newest orders took.

use chrono::TimeDelta;
use std::collections::HashMap;

/// How many durations a group keeps, the newest: enough for a p95, and last year's carrier is
/// forgotten.
pub const MOST_SAMPLES: usize = 300;

/// Durations of one stage in one group, in seconds, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Samples(Vec<i32>);

impl Samples {
    /// Takes durations, oldest first; the newest are kept.
    #[must_use]
    pub fn new(mut seconds: Vec<i32>) -> Self {
        let old = seconds.len().saturating_sub(MOST_SAMPLES);
        seconds.drain(..old);
        Self(seconds)
    }

    /// Learns one more.
    pub fn learn(&mut self, seconds: i32) {
        if self.0.len() == MOST_SAMPLES {
            self.0.remove(0);
        }
        self.0.push(seconds);
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Those that took longer than this already.
    pub(super) fn beyond(&self, seconds: i64) -> Self {
        Self(self.0.iter().copied().filter(|took| i64::from(*took) > seconds).collect())
    }

    /// One of them by chance; none of none.
    pub(super) fn draw(&self, random: &mut fastrand::Rng) -> Option<i64> {
        random.choice(&self.0).map(|took| i64::from(*took))
    }

    /// The duration that this many per thousand do not exceed; none of none.
    #[must_use]
    pub fn quantile(&self, per_mille: usize) -> Option<TimeDelta> {
        let mut sorted: Vec<i64> = self.0.iter().map(|took| i64::from(*took)).collect();
        quantile(&mut sorted, per_mille).map(TimeDelta::seconds)
    }
}

/// The value that this many per thousand do not exceed (nearest rank); none of none.
pub(super) fn quantile(values: &mut [i64], per_mille: usize) -> Option<i64> {
    let rank = (values.len() * per_mille).div_ceil(1000).max(1) - 1;
    values.sort_unstable();
    values.get(rank).copied()
}

/// What was learned, by group.
#[derive(Debug, Clone, Default)]
pub struct Book(HashMap<String, Samples>);

impl Book {
    /// What is known of some groups.
    #[must_use]
    pub fn new(groups: HashMap<String, Samples>) -> Self {
        Self(groups)
    }

    /// Learns one duration of a group.
    pub fn learn(&mut self, group: &str, seconds: i32) {
        self.0.entry(group.to_owned()).or_default().learn(seconds);
    }

    /// The first of these groups, narrowest first, that enough is known of.
    #[must_use]
    pub fn known(&self, groups: &[String], floor: usize) -> Option<&Samples> {
        let mut known = groups.iter().filter_map(|group| self.0.get(group));
        known.find(|samples| samples.count() >= floor.max(1))
    }
}

/// How long a stage is usually silent at most, by group: the p95 of those that enough is known of.
#[derive(Debug, Clone, Default)]
pub struct Patience {
    limits: HashMap<String, TimeDelta>,
    /// Enough is known to expect an order at all: of the way to the door.
    pub expects: bool,
}

impl Patience {
    /// Takes the p95s, and whether anything can be expected.
    #[must_use]
    pub fn new(limits: HashMap<String, TimeDelta>, expects: bool) -> Self {
        Self { limits, expects }
    }

    /// The limit of the narrowest of these groups that has one.
    #[must_use]
    pub fn of(&self, groups: &[String]) -> Option<TimeDelta> {
        groups.iter().find_map(|group| self.limits.get(group)).copied()
    }
}
