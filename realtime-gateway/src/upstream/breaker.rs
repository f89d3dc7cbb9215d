//! When an instance is left alone. Pure: what became of requests in, whether to ask out.

use std::time::Duration;
use tokio::time::Instant;

/// Failures in a row after which an instance is left alone.
const MOST: u32 = 3;
/// For how long, the first time; twice as long after each trial that fails.
const FIRST: Duration = Duration::from_millis(500);
/// And at most.
const LONGEST: Duration = Duration::from_secs(15);

/// The breaker of one instance.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    /// Left alone until then; after that one request tries.
    until: Option<Instant>,
    trying: bool,
}

impl Breaker {
    /// May the instance be asked?
    pub(super) fn admits(&self, now: Instant) -> bool {
        self.until.is_none_or(|until| now >= until && !self.trying)
    }

    /// A request goes. True when it is the one that tries.
    pub(super) const fn begin(&mut self) -> bool {
        self.trying = self.until.is_some();
        self.trying
    }

    /// The one that tries was given up: another may.
    pub(super) const fn give_up(&mut self) {
        self.trying = false;
    }

    /// The instance answered.
    pub(super) fn good(&mut self) {
        *self = Self::default();
    }

    /// It did not. True when it is left alone from now on and was not before.
    pub(super) fn bad(&mut self, now: Instant) -> bool {
        let was_open = self.until.is_some();
        self.trying = false;
        self.failures = self.failures.saturating_add(1);
        if let Some(more) = self.failures.checked_sub(MOST) {
            let pause = FIRST.saturating_mul(2_u32.saturating_pow(more.min(16))).min(LONGEST);
            self.until = Some(now + pause);
        }
        self.until.is_some() && !was_open
    }

    /// Is it left alone?
    pub(super) const fn is_open(&self) -> bool {
        self.until.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(times: u32, now: Instant) -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..times {
            breaker.bad(now);
        }
        breaker
    }

    #[test]
    fn three_failures_in_a_row_leave_an_instance_alone() {
        let now = Instant::now();
        let mut breaker = failed(MOST - 1, now);
        assert!(breaker.admits(now));
        breaker.good();
        assert!(!breaker.bad(now), "not in a row");
        let mut breaker = failed(MOST - 1, now);
        assert!(breaker.bad(now) && !breaker.admits(now));
        assert!(!breaker.bad(now), "told once");
    }

    #[test]
    fn after_a_while_one_request_tries() {
        let now = Instant::now();
        let mut breaker = failed(MOST, now);
        assert!(!breaker.admits(now + FIRST / 2) && breaker.admits(now + FIRST));
        assert!(breaker.begin());
        assert!(!breaker.admits(now + FIRST), "one is enough");
        breaker.give_up();
        assert!(breaker.admits(now + FIRST));
        breaker.bad(now + FIRST);
        assert!(!breaker.admits(now + 2 * FIRST), "longer than before");
        assert!(breaker.admits(now + 3 * FIRST));
        breaker.good();
        assert!(breaker.admits(now) && !breaker.is_open());
        assert!(failed(1000, now).admits(now + LONGEST));
    }
}
