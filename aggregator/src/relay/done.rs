//! Which side has which rows. A row that both have within a moment is removed in one go; what
//! waits longer for the other side is marked in the database. After a crash what was neither is
//! published again, which versions make harmless.

use crate::store::outbox::Side;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A side waits so long for the other before its mark is written down.
const WAIT: Duration = Duration::from_secs(3);

/// Rows that one side has; cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Done(Arc<Mutex<HashMap<i64, (Side, Instant)>>>);

impl Done {
    /// Rows that a side has and that no mark tells of yet.
    pub(super) fn unmarked(&self, side: Side) -> Vec<i64> {
        self.with(|all| {
            all.iter().filter(|(_, (has, _))| *has == side).map(|(id, _)| *id).collect()
        })
    }

    /// Notes that a side has rows; returns those that the other has too.
    pub(super) fn note(&self, side: Side, ids: &[i64]) -> Vec<i64> {
        let now = Instant::now();
        self.with(|all| {
            let both = |id: &&i64| match all.get(*id) {
                Some((has, _)) if *has != side => all.remove(*id).is_some(),
                _ => {
                    all.insert(**id, (side, now));
                    false
                }
            };
            ids.iter().filter(both).copied().collect()
        })
    }

    /// Forgets the rows of a side that have waited long enough (all of them, at the end) and
    /// returns them: their mark is to be written.
    pub(super) fn late(&self, side: Side, all_of_them: bool) -> Vec<i64> {
        let now = Instant::now();
        let late = |(has, since): &(Side, Instant)| {
            *has == side && (all_of_them || now.duration_since(*since) > WAIT)
        };
        self.with(|all| all.extract_if(|_, row| late(row)).map(|(id, _)| id).collect())
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashMap<i64, (Side, Instant)>) -> T) -> T {
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
        assert_eq!(done.unmarked(Side::Redis), [1]);
        assert!(done.late(Side::Kafka, false).is_empty(), "the other side has a moment");
        assert_eq!(done.late(Side::Kafka, true), [3]);
        assert!(done.unmarked(Side::Kafka).is_empty());
    }
}
