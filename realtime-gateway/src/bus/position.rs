//! How far each shard has been read. Pure: numbers in, gaps out.

use contract::name::{SHARDS, Shard};
use std::sync::{Mutex, PoisonError};

#[derive(Debug, Clone, Copy, Default)]
struct Position {
    /// Highest number that the bus delivered.
    delivered: u64,
    /// The number at the last probe.
    probed: u64,
    /// Probes that found something lost since the bus delivered anything.
    misses: u32,
}

/// The positions of all shards.
#[derive(Debug)]
pub(super) struct Positions {
    all: Mutex<Vec<Position>>,
}

impl Default for Positions {
    fn default() -> Self {
        Self { all: Mutex::new(vec![Position::default(); usize::from(SHARDS)]) }
    }
}

impl Positions {
    /// A new subscription begins here. Returns the shards whose number went back meanwhile. None for a
    /// number that cannot be read now.
    pub(super) fn start(&self, sequences: &[Option<u64>]) -> Vec<Shard> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter_mut().for_each(|position| position.misses = 0);
        let mut back = Vec::new();
        for (shard, position, number) in known(&mut all, sequences) {
            if number < position.delivered.max(position.probed) {
                back.push(shard);
            }
            *position = Position { delivered: number, probed: number, misses: 0 };
        }
        back
    }

    /// A message came. True when one before it did not. A number that is not higher was counted
    /// when the subscription began, while its message was still under way.
    pub(super) fn advance(&self, shard: Shard, number: u64) -> bool {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(position) = all.get_mut(usize::from(shard.number())) else {
            return false;
        };
        let gap = number > position.delivered + 1;
        position.delivered = position.delivered.max(number);
        position.misses = 0;
        gap
    }

    /// The numbers were read. Returns the shards of which a number that the last reading saw was
    /// not delivered by now, and those whose number went back (with `true`).
    pub(super) fn probe(&self, sequences: &[Option<u64>]) -> Vec<(Shard, bool)> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gaps = Vec::new();
        for (shard, position, number) in known(&mut all, sequences) {
            let went_back = number < position.probed;
            let lost = position.delivered < position.probed;
            if went_back {
                position.delivered = number;
            } else if lost {
                position.delivered = position.probed;
                position.misses += 1;
            }
            position.probed = number;
            if went_back || lost {
                gaps.push((shard, went_back));
            }
        }
        gaps
    }

    /// Is there a shard of which nothing is heard though twice something was said? One that is mostly
    /// quiet would never be found by two probes in a row.
    pub(super) fn has_deaf(&self) -> bool {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().any(|position| position.misses >= 2)
    }
}

/// The positions whose number could be read.
fn known<'a>(
    all: &'a mut [Position],
    sequences: &'a [Option<u64>],
) -> impl Iterator<Item = (Shard, &'a mut Position, u64)> {
    let pairs = Shard::all().zip(all).zip(sequences);
    pairs.filter_map(|((shard, position), number)| Some((shard, position, (*number)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(first: u64) -> Vec<Option<u64>> {
        std::iter::once(first).chain(std::iter::repeat(0)).take(64).map(Some).collect()
    }

    fn first() -> Shard {
        Shard::all().next().unwrap()
    }

    #[test]
    fn a_hole_in_the_numbers_is_a_gap() {
        let positions = Positions::default();
        positions.start(&numbers(5));
        assert!(!positions.advance(first(), 6));
        assert!(positions.advance(first(), 8));
        assert!(!positions.advance(first(), 5), "counted at the start, delivered after it");
    }

    #[test]
    fn a_lost_last_message_is_found_by_the_second_reading() {
        let positions = Positions::default();
        positions.start(&numbers(5));
        assert!(positions.probe(&numbers(6)).is_empty(), "it may still be under way");
        assert_eq!(positions.probe(&numbers(6)), [(first(), false)]);
        assert!(positions.probe(&numbers(6)).is_empty(), "told once");
    }

    #[test]
    fn what_was_lost_while_a_number_could_not_be_read_is_found_when_it_can() {
        let positions = Positions::default();
        positions.start(&numbers(5));
        let unread = vec![None; 64];
        assert!(positions.probe(&unread).is_empty() && positions.start(&unread).is_empty());
        assert!(positions.probe(&numbers(6)).is_empty(), "it may still be under way");
        assert_eq!(positions.probe(&numbers(6)), [(first(), false)]);
        positions.probe(&unread);
        assert_eq!(positions.probe(&numbers(4)), [(first(), true)]);
    }

    #[test]
    fn a_shard_that_is_mostly_quiet_is_deaf_when_it_was_missed_twice() {
        let positions = Positions::default();
        positions.start(&numbers(5));
        for number in [6, 6, 6, 7] {
            positions.probe(&numbers(number));
        }
        assert!(!positions.has_deaf(), "once");
        assert_eq!(positions.probe(&numbers(7)), [(first(), false)]);
        assert!(positions.has_deaf());
        positions.advance(first(), 8);
        assert!(!positions.has_deaf(), "it was heard");
    }

    #[test]
    fn a_redis_that_was_started_empty_is_a_gap_everywhere_it_had_numbers() {
        let positions = Positions::default();
        positions.start(&numbers(5));
        assert_eq!(positions.probe(&numbers(0)), [(first(), true)]);
        assert!(!positions.advance(first(), 1));
        positions.start(&numbers(9));
        assert_eq!(positions.start(&numbers(2)), [first()], "while nobody was subscribed");
    }
}
