//! Is everything read that was said? What the clock alone makes true is said only then: after a day of
//! standing still the log may hold what makes it untrue.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Whether there is a backlog; cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Calm(Arc<Mutex<Option<Instant>>>);

impl Calm {
    /// So long after the last sign of a backlog it is calm: time to be given partitions, and to read the
    /// first of them.
    pub const AFTER: Duration = Duration::from_secs(10);

    /// There is a backlog now: reading has just begun, much of it was old, or something could not be
    /// stored.
    pub fn disturb(&self) {
        *self.last() = Some(Instant::now());
    }

    /// Is there none? Before reading has begun nobody knows.
    #[must_use]
    pub fn is_there(&self) -> bool {
        Self::is_calm(*self.last(), Instant::now())
    }

    fn is_calm(last: Option<Instant>, now: Instant) -> bool {
        last.is_some_and(|last| now.duration_since(last) > Self::AFTER)
    }

    fn last(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_calm_a_while_after_the_last_sign_and_never_before_the_first() {
        let (now, moment) = (Instant::now(), Duration::from_millis(1));
        assert!(!Calm::is_calm(None, now), "nothing was read yet");
        assert!(!Calm::is_calm(Some(now), now + Calm::AFTER));
        assert!(Calm::is_calm(Some(now), now + Calm::AFTER + moment));
        let calm = Calm::default();
        calm.disturb();
        assert!(!calm.is_there());
    }
}
