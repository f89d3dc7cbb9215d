//! What is done now and then.

use std::time::{Duration, Instant};

/// When it was somebody's turn last, who has one not sooner than so long after that.
pub(super) struct NowAndThen {
    pause: Duration,
    last: Option<Instant>,
}

impl NowAndThen {
    /// The first turn is at once.
    pub(super) const fn every(pause: Duration) -> Self {
        Self { pause, last: None }
    }

    /// Takes the turn if there is one. (What fails then is tried in the next one: tried at once, again and again, it
    /// would hold up what comes after it.)
    pub(super) fn has_turn(&mut self, now: Instant) -> bool {
        let turn = self.last.is_none_or(|last| now.duration_since(last) >= self.pause);
        if turn {
            self.last = Some(now);
        }
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_turn_is_at_once_and_the_next_after_the_pause() {
        let (pause, now) = (Duration::from_secs(10), Instant::now());
        let mut turns = NowAndThen::every(pause);
        let after = [0, 0, 9, 10, 11, 19, 20].map(Duration::from_secs);
        let had = after.map(|after| turns.has_turn(now + after));
        assert_eq!(had, [true, false, false, true, false, false, true]);
    }
}
