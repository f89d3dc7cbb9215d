//! How many rows of the smaller tables go with a version, spread evenly over a batch.

use super::super::written::Written;
use super::Version;

/// Rows that the aggregator wrote for each version, beside its row in the outbox. (Some events make no version:
/// those that say what was said before, and what is for the operator alone. Of several versions that come of one
/// batch the aggregator stores the last state.)
#[derive(Debug, Clone, Copy)]
pub(super) struct Shares {
    pub(super) events: f64,
    pub(super) states: f64,
    pub(super) orders: f64,
    pub(super) due: f64,
    pub(super) parked: f64,
    pub(super) aliases: f64,
}

impl Shares {
    pub(super) fn of(written: &Written) -> Self {
        let of = |table: &str| written.per_version(table);
        Self {
            events: of("events"),
            states: of("timelines"),
            orders: of("orders"),
            due: of("due"),
            parked: of("parked"),
            aliases: of("aliases"),
        }
    }
}

/// So many of a batch.
pub(super) fn share(batch: &[Version], share: f64) -> impl Iterator<Item = &Version> {
    let mut sum = 0.0;
    batch.iter().flat_map(move |version| {
        sum += share;
        let mut count = 0;
        while sum >= 1.0 {
            sum -= 1.0;
            count += 1;
        }
        std::iter::repeat_n(version, count)
    })
}
