//! How records arrive: mostly in order, some late, some twice. Pure and seeded.

use super::native::Native;
use chrono::{DateTime, TimeDelta, Utc};

/// A record and when it arrives.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    /// When it arrives.
    pub at: DateTime<Utc>,
    /// The record.
    pub record: Native,
}

/// Lets one in eight come late by up to a twelfth of the life, and one in six twice.
#[must_use]
pub fn arrivals(records: Vec<Native>, random: &mut fastrand::Rng) -> Vec<Arrival> {
    let begin = records.first().map(|record| record.at).unwrap_or_default();
    let span = records.iter().map(|record| record.at - begin).max().unwrap_or_default();
    let mut all = Vec::with_capacity(records.len() * 2);
    for record in records {
        let mut late = |share: i32| span * random.i32(1..=share) / (12 * share);
        let (delay, again) = (late(8), late(8));
        let delay = if random.u8(..8) == 0 { delay } else { TimeDelta::zero() };
        let arrival = Arrival { at: record.at + delay, record };
        if random.u8(..6) == 0 {
            all.push(Arrival { at: arrival.at + again, record: arrival.record.clone() });
        }
        all.push(arrival);
    }
    all.sort_by_key(|arrival| arrival.at);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_is_lost_and_some_come_twice_or_late() {
        let start = DateTime::UNIX_EPOCH;
        let record = |n: i32| Native {
            at: start + TimeDelta::hours(n.into()),
            topic: "source.shop",
            value: json!(n),
        };
        let records: Vec<Native> = (0..200).map(record).collect();
        let arrivals = arrivals(records.clone(), &mut fastrand::Rng::with_seed(3));
        assert!(records.iter().all(|r| arrivals.iter().any(|a| a.record == *r)));
        assert!(arrivals.len() > 200);
        assert!(!arrivals.windows(2).all(|two| two[0].record.at <= two[1].record.at));
    }
}
