//! What the viewers saw, in numbers.

use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Times in nanoseconds, to three digits, whatever their size.
pub(crate) type Times = Histogram<u64>;

/// An empty histogram.
pub(crate) fn times() -> Times {
    let mut times = Histogram::new_with_bounds(1_000, 600_000_000_000, 3).unwrap_or_else(|_| {
        // Three digits are always possible.
        unreachable!("the bounds are constant")
    });
    times.auto(true);
    times
}

/// A quantile of a histogram, in milliseconds.
#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
pub(crate) fn ms(times: &Times, quantile: f64) -> f64 {
    times.value_at_quantile(quantile) as f64 / 1e6
}

/// The counts of a stretch of time.
pub(crate) struct Tally {
    /// Newer states that came.
    pub(crate) received: u64,
    /// States that were not newer.
    pub(crate) repeated: u64,
    /// From publishing to reading.
    pub(crate) latency: Times,
    /// From connecting to the end of the handshake.
    pub(crate) opened: Times,
    /// From connecting to being subscribed.
    pub(crate) answer: Times,
    /// How long viewers were without a server.
    pub(crate) without: Times,
    /// Connections that ended, by close code; 0 when there was none.
    pub(crate) ended: BTreeMap<u16, u64>,
    /// When viewers began to connect again.
    pub(crate) returns: Vec<Instant>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            received: 0,
            repeated: 0,
            latency: times(),
            opened: times(),
            answer: times(),
            without: times(),
            ended: BTreeMap::new(),
            returns: Vec::new(),
        }
    }
}

impl Tally {
    pub(crate) fn end(&mut self, code: u16) {
        *self.ended.entry(code).or_default() += 1;
    }

    /// The most that returned within any stretch of `window`, per second.
    #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
    pub(crate) fn peak_of_returns(&self, window: Duration) -> f64 {
        let (mut first, mut most) = (0, 0);
        for (last, at) in self.returns.iter().enumerate() {
            while *at - self.returns[first] > window {
                first += 1;
            }
            most = most.max(last + 1 - first);
        }
        most as f64 / window.as_secs_f64()
    }
}

/// Notes a stretch of time.
pub(crate) fn note(times: &mut Times, span: Duration) {
    times.saturating_record(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_the_busiest_stretch() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let returns = vec![at(0), at(900), at(950), at(1000), at(5000)];
        let tally = Tally { returns, ..Tally::default() };
        assert!((tally.peak_of_returns(Duration::from_millis(100)) - 30.0).abs() < 1e-9);
    }
}
