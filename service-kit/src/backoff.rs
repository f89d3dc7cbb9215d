//! Waiting between tries: full jitter, doubling, with a ceiling.

use std::time::Duration;

/// The wait before try number `attempt` (0 = the first repetition): random between half and the
/// whole of `base * 2^attempt`, at most `cap`. The lower half is kept so that a failing server
/// is never hammered.
#[must_use]
pub fn delay(attempt: u32, base: Duration, cap: Duration) -> Duration {
    let whole = base.saturating_mul(2_u32.saturating_pow(attempt.min(16))).min(cap);
    whole.mul_f64(0.5 + fastrand::f64() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_under_the_ceiling() {
        let (base, cap) = (Duration::from_millis(100), Duration::from_secs(3));
        assert!(delay(0, base, cap) <= base);
        assert!(delay(3, base, cap) >= Duration::from_millis(400));
        assert!(delay(60, base, cap) <= cap);
    }
}
