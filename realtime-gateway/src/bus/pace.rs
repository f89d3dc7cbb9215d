//! How eagerly the bus is read. A gateway that is woken for each state which only others' viewers wait
//! for spends most of its time on being woken.

use std::time::Duration;

/// How long a reader that hears mostly for others lets things gather.
pub(super) const PAUSE: Duration = Duration::from_millis(4);

/// States after which it is judged anew.
const WINDOW: u32 = 256;
/// With fewer watched ones than one in so many, reading is slow.
const RARE: u32 = 16;

/// What was heard of late.
#[derive(Debug, Default)]
pub(super) struct Pace {
    heard: u32,
    watched: u32,
    slow: bool,
}

impl Pace {
    /// A state was heard, which somebody here watches or not.
    pub(super) fn heard(&mut self, watched: bool) {
        self.heard += 1;
        self.watched += u32::from(watched);
        // To be quick again needs no whole window.
        if self.watched * RARE > WINDOW {
            *self = Self::default();
        } else if self.heard == WINDOW {
            *self = Self { slow: true, ..Self::default() };
        }
    }

    /// Whether what is heard is mostly for others.
    pub(super) const fn is_slow(&self) -> bool {
        self.slow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_is_slow_while_hardly_anything_is_watched() {
        let mut pace = Pace::default();
        (0..WINDOW).for_each(|n| pace.heard(n % 64 == 0));
        assert!(pace.is_slow());
        (0..=WINDOW / RARE).for_each(|_| pace.heard(true));
        assert!(!pace.is_slow());
        (0..10 * WINDOW).for_each(|n| {
            pace.heard(n % 8 == 0);
            assert!(!pace.is_slow(), "one in eight is watched");
        });
    }
}
