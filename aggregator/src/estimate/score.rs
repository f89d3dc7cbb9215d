//! How often what was expected came true.

use chrono::{DateTime, TimeDelta, Utc};
use contract::event::EtaRange;

/// The record of a forecaster.
#[derive(Debug, Clone, Default)]
pub struct Score {
    widths: Vec<TimeDelta>,
    inside: usize,
    late: usize,
}

impl Score {
    /// Notes a range and when the order came.
    pub fn note(&mut self, range: EtaRange, delivered: DateTime<Utc>) {
        self.widths.push(range.latest - range.earliest);
        self.inside += usize::from((range.earliest..=range.latest).contains(&delivered));
        self.late += usize::from(delivered > range.latest);
    }

    /// Adds another record.
    pub fn add(&mut self, other: &Self) {
        self.widths.extend(&other.widths);
        self.inside += other.inside;
        self.late += other.late;
    }

    /// How many ranges it has noted.
    #[must_use]
    pub fn count(&self) -> usize {
        self.widths.len()
    }

    /// Share of deliveries inside the range, in per cent.
    #[must_use]
    pub fn inside(&self) -> f64 {
        share(self.inside, self.count())
    }

    /// Share of deliveries after it, in per cent.
    #[must_use]
    pub fn late(&self) -> f64 {
        share(self.late, self.count())
    }

    /// The width that half of the ranges do not exceed, in days.
    #[must_use]
    pub fn median_width(&self) -> f64 {
        let mut widths = self.widths.clone();
        widths.sort_unstable();
        let median = widths.get(widths.len() / 2).copied().unwrap_or_default();
        median.as_seconds_f64() / 86_400.0
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of orders are far below 2^52")]
fn share(part: usize, all: usize) -> f64 {
    if all == 0 { 0.0 } else { 100.0 * part as f64 / all as f64 }
}
