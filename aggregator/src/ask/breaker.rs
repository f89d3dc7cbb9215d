//! A circuit breaker: a system that fails again and again is left alone for a while, then tried
//! once.

use std::time::{Duration, Instant};

/// Failures in a row that open it.
const MOST: u32 = 5;
/// First and longest time that it stays open.
const OPEN: (Duration, Duration) = (Duration::from_secs(30), Duration::from_mins(10));

/// The breaker of one system.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    closed_at: Option<Instant>,
}

impl Breaker {
    /// May it be asked now?
    pub(super) fn lets(&self, now: Instant) -> bool {
        self.closed_at.is_none_or(|at| at <= now)
    }

    /// It answered.
    pub(super) const fn good(&mut self) {
        self.failures = 0;
        self.closed_at = None;
    }

    /// It failed. Returns for how long it is left alone, when this opened the breaker.
    pub(super) fn bad(&mut self, now: Instant) -> Option<Duration> {
        self.failures = self.failures.saturating_add(1);
        let again = self.failures.checked_sub(MOST)?;
        let wait = OPEN.0.saturating_mul(2_u32.saturating_pow(again.min(16))).min(OPEN.1);
        self.closed_at = Some(now + wait);
        Some(wait)
    }

    /// It said itself how long to wait.
    pub(super) fn wait(&mut self, now: Instant, wait: Duration) {
        self.closed_at = Some(now + wait.min(OPEN.1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_failures_open_it_one_try_may_close_it_and_a_failed_try_opens_it_for_longer() {
        let (mut breaker, now) = (Breaker::default(), Instant::now());
        for _ in 0..4 {
            assert_eq!(breaker.bad(now), None);
        }
        assert!(breaker.lets(now));
        assert_eq!(breaker.bad(now), Some(OPEN.0));
        assert!(!breaker.lets(now));
        let later = now + OPEN.0;
        assert!(breaker.lets(later));
        assert_eq!(breaker.bad(later), Some(OPEN.0 * 2));
        assert!(!breaker.lets(later + OPEN.0));
        breaker.good();
        assert!(breaker.lets(later));
        assert_eq!(breaker.bad(later), None);
    }

    #[test]
    fn it_never_stays_open_for_longer_than_its_longest() {
        let (mut breaker, now) = (Breaker::default(), Instant::now());
        let waits = (0..60).filter_map(|_| breaker.bad(now));
        assert_eq!(waits.max(), Some(OPEN.1));
        breaker.wait(now, Duration::from_hours(24));
        assert!(breaker.lets(now + OPEN.1));
    }
}
