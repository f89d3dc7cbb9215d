//! Which batches are the best, and what they took. Every third turn tries another size than the best so far, and is
//! held against the turn before it: early in a run states are short, and everything is quicker. The other turns, from
//! the first one on, are the limit. (What a size was chosen by does not count for it: the best of several that vary
//! looks better than it is.)

use anyhow::ensure;

/// Versions in one transaction.
const BATCHES: [usize; 3] = [500, 2_000, 6_000];
/// The best so far, at first.
const FIRST: usize = 1;
/// A turn of so many tries another size.
const EVERY: usize = 3;
/// So many tries that were quicker, on the whole, make another size the best.
const TRIES: usize = 2;

/// What batches of one size took.
#[derive(Clone, Copy, Default)]
pub(super) struct Took {
    versions: f64,
    seconds: f64,
    /// Seconds of the server's CPU.
    database: f64,
}

impl Took {
    /// In one turn.
    pub(super) const fn turn(versions: f64, seconds: f64, database: f64) -> Self {
        Self { versions, seconds, database }
    }

    fn add(&mut self, turn: Self) {
        self.versions += turn.versions;
        self.seconds += turn.seconds;
        self.database += turn.database;
    }

    fn rate(&self) -> f64 {
        self.versions / self.seconds
    }
}

/// What the best batches took.
pub(in super::super) struct Limit {
    /// Versions in one transaction.
    pub(in super::super) batch: usize,
    /// Versions per second, each with its other rows.
    pub(in super::super) rate: f64,
    /// Seconds of the server's CPU for each.
    pub(in super::super) database: f64,
}

/// All sizes.
pub(super) struct Sizes {
    turns: usize,
    best: usize,
    measured: Took,
    /// Versions per second in the last turn that was measured.
    last: f64,
    /// How many times as quick the tries of each size were.
    tried: [Vec<f64>; BATCHES.len()],
}

impl Default for Sizes {
    fn default() -> Self {
        let (measured, tried) = (Took::default(), Default::default());
        Self { turns: 0, best: FIRST, measured, last: 0.0, tried }
    }
}

impl Sizes {
    /// Versions in one transaction of the next turn.
    pub(super) fn next(&self) -> usize {
        BATCHES[self.to_try().unwrap_or(self.best)]
    }

    /// What the turn took that was next.
    pub(super) fn add(&mut self, turn: Took) {
        if let Some(place) = self.to_try() {
            self.tried[place].push(turn.rate() / self.last);
            if self.tried[place].len() >= TRIES && mean(&self.tried[place]) > 1.0 {
                self.best = place;
                self.tried = Default::default();
            }
        } else {
            self.measured.add(turn);
            self.last = turn.rate();
        }
        self.turns += 1;
    }

    /// How many times as quick as the best the others were when they were tried.
    pub(super) fn others(&self) -> Vec<(usize, f64)> {
        let tried = BATCHES.into_iter().zip(&self.tried).filter(|(_, tried)| !tried.is_empty());
        tried.map(|(size, tried)| (size, mean(tried))).collect()
    }

    /// What the best took.
    pub(super) fn limit(&self) -> anyhow::Result<Limit> {
        let took = self.measured;
        ensure!(took.versions > 0.0, "too little was published to tell the limit");
        let (batch, database) = (BATCHES[self.best], took.database / took.versions);
        Ok(Limit { batch, rate: took.rate(), database })
    }

    /// The size to try, if this turn is for that: the others in turn.
    fn to_try(&self) -> Option<usize> {
        let others = (0..BATCHES.len()).filter(|place| *place != self.best);
        let tries = self.turns % EVERY == EVERY - 1;
        tries.then(|| others.min_by_key(|place| self.tried[*place].len())).flatten()
    }
}

fn mean(all: &[f64]) -> f64 {
    all.iter().sum::<f64>() / f64::from(u32::try_from(all.len()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(sizes: &mut Sizes, seconds: f64) -> usize {
        let size = sizes.next();
        sizes.add(Took::turn(100.0, seconds, 0.5));
        size
    }

    #[test]
    fn another_size_is_tried_every_third_turn_and_does_not_count() {
        let mut sizes = Sizes::default();
        assert!(sizes.limit().is_err(), "nothing was written");
        let written = [1.0, 1.0, 2.0, 1.0, 1.0, 4.0].map(|seconds| write(&mut sizes, seconds));
        assert_eq!(written, [2_000, 2_000, 500, 2_000, 2_000, 6_000]);
        let limit = sizes.limit().unwrap();
        assert_eq!((limit.batch, limit.rate, limit.database), (2_000, 100.0, 0.005));
        assert_eq!(sizes.others(), [(500, 0.5), (6_000, 0.25)]);
    }

    #[test]
    fn one_that_was_quicker_than_its_neighbours_is_the_best_from_then_on() {
        let mut sizes = Sizes::default();
        let seconds = [1.0, 1.0, 0.5, 1.0, 1.0, 2.0, 4.0, 4.0, 2.0, 4.0];
        let written = seconds.map(|seconds| write(&mut sizes, seconds));
        assert_eq!(written[8..], [500, 500], "it was twice as quick, early and late");
        assert_eq!(sizes.limit().unwrap().batch, 500);
        assert!(sizes.others().is_empty(), "the others are tried anew");
    }
}
