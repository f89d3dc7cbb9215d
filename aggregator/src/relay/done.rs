//! Which side has which rows. A row that both have within a moment is removed in one go; what
//! waits longer for the other side is marked in the database. After a crash what was neither is
//! published again, which versions make harmless.

use crate::store::outbox::Side;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A side waits so long for the other before its mark is written down; and so long is waited before
/// what could not be written down is tried again.
const WAIT: Duration = Duration::from_secs(3);

/// Who has a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Has {
    One(Side),
    Both,
}

/// Rows that the database does not tell of yet; cheap to clone. One is forgotten when the database
/// tells, not before: until then nobody may take it for open.
#[derive(Clone, Default)]
pub(super) struct Done(Arc<Mutex<HashMap<i64, (Has, Instant)>>>);

impl Done {
    /// Rows that a side has and that the database does not tell of yet.
    pub(super) fn untold(&self, side: Side) -> Vec<i64> {
        let has = |has: Has| has == Has::Both || has == Has::One(side);
        self.with(|all| all.iter().filter(|(_, (who, _))| has(*who)).map(|(id, _)| *id).collect())
    }

    /// Notes that a side has rows; returns those that the other has too.
    pub(super) fn note(&self, side: Side, ids: &[i64]) -> Vec<i64> {
        let now = Instant::now();
        self.with(|all| {
            let both = |id: &&i64| {
                let (has, _) = all.entry(**id).or_insert((Has::One(side), now));
                let other = *has != Has::One(side);
                if other {
                    *has = Has::Both;
                }
                other
            };
            ids.iter().filter(both).copied().collect()
        })
    }

    /// The rows of a side that have waited long enough (all of them, at the end).
    pub(super) fn late(&self, side: Side, at_the_end: bool) -> Vec<i64> {
        self.older(Has::One(side), at_the_end)
    }

    /// The rows of both that should be gone by now.
    pub(super) fn left(&self, at_the_end: bool) -> Vec<i64> {
        self.older(Has::Both, at_the_end)
    }

    /// The database tells of these rows.
    pub(super) fn forget(&self, ids: &[i64]) {
        self.with(|all| {
            for id in ids {
                all.remove(id);
            }
        });
    }

    fn older(&self, who: Has, at_the_end: bool) -> Vec<i64> {
        let now = Instant::now();
        let late = |has: Has, since: Instant| {
            has == who && (at_the_end || now.duration_since(since) > WAIT)
        };
        self.with(|all| {
            all.iter().filter(|(_, (has, at))| late(*has, *at)).map(|(id, _)| *id).collect()
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<i64, (Has, Instant)>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_done_with_when_both_sides_have_it() {
        let done = Done::default();
        assert!(done.note(Side::Redis, &[1, 2]).is_empty());
        assert!(done.note(Side::Redis, &[1]).is_empty(), "one side twice is one side");
        assert_eq!(done.note(Side::Kafka, &[2, 3]), [2]);
        let sorted = |mut ids: Vec<i64>| {
            ids.sort_unstable();
            ids
        };
        assert_eq!(sorted(done.untold(Side::Redis)), [1, 2], "2 is still in the database");
        assert_eq!(sorted(done.untold(Side::Kafka)), [2, 3]);
        assert!(done.late(Side::Kafka, false).is_empty(), "the other side has a moment");
        assert_eq!((done.late(Side::Kafka, true), done.left(true)), (vec![3], vec![2]));
        done.forget(&[2, 3]);
        assert!(done.untold(Side::Kafka).is_empty());
        assert_eq!(done.untold(Side::Redis), [1]);
    }
}
