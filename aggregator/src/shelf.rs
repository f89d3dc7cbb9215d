//! Rows of the outbox that were written a moment ago, so that publishing them need not read them
//! back. The database says what is open and in which order; what is not here is read from there. Only
//! whoever can do without an order (a page takes no older state) takes what was committed just now
//! without asking.

use crate::store::outbox::{Open, Row, lane_of};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::time::timeout_at;

/// Bytes that are kept.
const MOST: usize = 20 * 1024 * 1024;
/// With more than this on it, new work waits: publishing is behind, and what has no room is read back.
const BEHIND: usize = MOST / 5 * 3;
/// New work waits so long at most: a side that is away must not stop the other.
const WAIT: Duration = Duration::from_millis(100);
/// What lies longer was rolled back, or somebody else publishes its lane.
const STALE: Duration = Duration::from_secs(3);

/// Kept by number; cheap to clone.
#[derive(Clone, Default)]
pub struct Shelf {
    rows: Arc<Mutex<Kept>>,
    taken: Arc<Notify>,
}

#[derive(Default)]
struct Kept {
    rows: BTreeMap<i64, (Instant, Arc<Row>)>,
    /// Those that are committed and that nobody was given yet.
    fresh: BTreeSet<i64>,
    bytes: usize,
    /// The lanes that are published from here: rows of others are of no use.
    lanes: Vec<i16>,
}

impl Shelf {
    /// Keeps rows of these lanes from now on, and no others: somebody else publishes those.
    pub fn serve(&self, lanes: &[i16]) {
        self.with(|all| {
            lanes.clone_into(&mut all.lanes);
            let of_others = |row: &Row| !lanes.contains(&lane_of(&row.order_id));
            let gone = all.rows.iter().filter(|(_, (_, row))| of_others(row)).map(|(id, _)| *id);
            let gone: Vec<i64> = gone.collect();
            for id in gone {
                all.remove(id);
            }
        });
        self.taken.notify_waiters();
    }

    /// Puts rows here, as far as there is room: the oldest are asked for first.
    pub fn put(&self, rows: impl IntoIterator<Item = Row>) {
        self.place(rows.into_iter().map(Arc::new), MOST);
    }

    /// Puts rows here that were read back, for the other side, while there is much room: what is written
    /// now comes first.
    pub fn put_back(&self, rows: &[Arc<Row>]) {
        self.place(rows.iter().cloned(), BEHIND / 2);
    }

    /// Puts rows here as long as no more than so many bytes are taken.
    fn place(&self, rows: impl Iterator<Item = Arc<Row>>, most: usize) {
        let now = Instant::now();
        self.with(|all| {
            for row in rows {
                if !all.lanes.contains(&lane_of(&row.order_id)) {
                    continue;
                }
                if !all.room(row.size(), most, now) {
                    return;
                }
                all.remove(row.id);
                all.bytes += row.size();
                all.rows.insert(row.id, (now, row));
            }
        });
    }

    /// These rows are committed: just now, or by another process and read a moment ago.
    pub fn committed(&self, ids: &[i64]) {
        self.with(|all| {
            all.fresh.extend(ids.iter().filter(|id| all.rows.contains_key(id)));
        });
    }

    /// Are all these rows here?
    #[must_use]
    pub fn has(&self, ids: &[i64]) -> bool {
        self.with(|all| ids.iter().all(|id| all.rows.contains_key(id)))
    }

    /// Rows of these lanes that are committed and that nobody was given yet, the oldest first. Whoever
    /// cannot publish one finds it in the database.
    #[must_use]
    pub fn fresh(&self, lanes: &[i16], most: usize) -> Vec<Arc<Row>> {
        self.with(|all| {
            let rows = all.fresh.iter().filter_map(|id| Some(all.rows.get(id)?.1.clone()));
            let rows = rows.filter(|row| lanes.contains(&lane_of(&row.order_id))).take(most);
            rows.collect()
        })
    }

    /// These rows are somebody's now, wherever they were found.
    pub fn given(&self, rows: &[Arc<Row>]) {
        self.with(|all| {
            for row in rows {
                all.fresh.remove(&row.id);
            }
        });
    }

    /// Those of the rows that are here, and the numbers of those that are not. After a crash the
    /// server may give a number again whose row was rolled back: only a row of the same order and
    /// version is the one that is asked for.
    #[must_use]
    pub fn get(&self, open: &[Open]) -> (Vec<Arc<Row>>, Vec<i64>) {
        let fits =
            |open: &Open, row: &Row| (&row.order_id, row.version) == (&open.order_id, open.version);
        self.with(|all| {
            let (mut found, mut missing) = (Vec::with_capacity(open.len()), Vec::new());
            for open in open {
                match all.rows.get(&open.id).filter(|(_, row)| fits(open, row)) {
                    Some((_, row)) => found.push(row.clone()),
                    None => missing.push(open.id),
                }
            }
            (found, missing)
        })
    }

    /// Takes rows away that nobody asks for any more.
    pub fn take_away(&self, ids: &[i64]) {
        self.with(|all| ids.iter().for_each(|id| all.remove(*id)));
        self.taken.notify_waiters();
    }

    /// Waits until publishing has caught up a little, for a moment at most.
    pub async fn room(&self) {
        let end = Instant::now() + WAIT;
        loop {
            let taken = self.taken.notified();
            if self.with(|all| all.bytes) <= BEHIND || timeout_at(end.into(), taken).await.is_err()
            {
                return;
            }
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Kept) -> T) -> T {
        act(&mut self.rows.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Kept {
    /// Is there room for so many bytes, after what is stale is thrown away?
    fn room(&mut self, bytes: usize, most: usize, now: Instant) -> bool {
        while self.bytes + bytes > most {
            match self.rows.first_key_value() {
                Some((id, (since, _))) if now.duration_since(*since) > STALE => self.remove(*id),
                _ => return false,
            }
        }
        true
    }

    fn remove(&mut self, id: i64) {
        self.fresh.remove(&id);
        if let Some((_, row)) = self.rows.remove(&id) {
            self.bytes -= row.size();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use service_kit::clock;

    fn row(id: i64, bytes: usize) -> Row {
        Row {
            id,
            order_id: "TM-1".to_owned(),
            version: 1,
            event: String::new(),
            timeline: "x".repeat(bytes),
            previous_status: None,
            customer: String::new(),
            traceparent: None,
            created_at: clock::now(),
        }
    }

    fn shelf() -> Shelf {
        let shelf = Shelf::default();
        shelf.serve(&[lane_of("TM-1")]);
        shelf
    }

    #[tokio::test]
    async fn what_others_publish_takes_no_room_and_is_not_waited_for() {
        let shelf = shelf();
        shelf.put([row(1, MOST - 1_000)]);
        shelf.serve(&[lane_of("TM-1") + 1]);
        shelf.put([row(2, MOST - 1_000)]);
        assert_eq!(shelf.get(&open(&[1, 2])).1, [1, 2]);
        assert!(shelf.room().now_or_never().is_some());
    }

    fn open(ids: &[i64]) -> Vec<Open> {
        let open =
            |id: &i64| Open { id: *id, order_id: "TM-1".to_owned(), version: 1, other: false };
        ids.iter().map(open).collect()
    }

    #[tokio::test]
    async fn new_work_waits_for_what_is_published_and_not_for_long() {
        let shelf = shelf();
        shelf.put([row(1, BEHIND)]);
        let started = Instant::now();
        shelf.room().await;
        assert!(started.elapsed() >= WAIT, "nobody takes anything away");
        let (room, ()) =
            tokio::join!(timeout_at((Instant::now() + WAIT / 2).into(), shelf.room()), async {
                tokio::task::yield_now().await;
                shelf.take_away(&[1]);
            });
        assert!(room.is_ok(), "there is room again");
    }

    #[test]
    fn what_is_committed_is_given_once_and_what_was_taken_away_never() {
        let shelf = shelf();
        shelf.put([row(1, 10), row(2, 10), row(3, 10), row(4, 10)]);
        let fresh = |lane: i16, most| {
            let rows = shelf.fresh(&[lane], most);
            shelf.given(&rows);
            rows.iter().map(|row| row.id).collect::<Vec<_>>()
        };
        let own = lane_of("TM-1");
        assert!(fresh(own, 9).is_empty(), "nothing is committed yet");
        shelf.committed(&[1, 2, 4, 5]);
        assert!(shelf.has(&[1, 2, 4]) && !shelf.has(&[4, 5]));
        shelf.take_away(&[2]);
        assert!(fresh(own + 1, 9).is_empty(), "that is another lane");
        assert_eq!((fresh(own, 1), fresh(own, 9), fresh(own, 9)), (vec![1], vec![4], vec![]));
    }

    #[test]
    fn what_was_read_back_leaves_room_for_what_is_written() {
        let shelf = shelf();
        let rows = [row(1, BEHIND / 4), row(2, BEHIND / 4), row(3, BEHIND / 4)].map(Arc::new);
        shelf.put_back(&rows);
        assert_eq!(shelf.get(&open(&[1, 2, 3])).1, [2, 3]);
        shelf.put([row(4, BEHIND)]);
        assert!(shelf.get(&open(&[4])).1.is_empty());
    }

    #[test]
    fn a_number_that_was_given_again_is_another_row() {
        let shelf = shelf();
        shelf.put([row(1, 10)]);
        let other = Open { version: 2, ..open(&[1]).remove(0) };
        assert_eq!(shelf.get(&[other]).1, [1]);
        assert!(shelf.get(&open(&[1])).1.is_empty());
    }

    #[test]
    fn what_has_no_room_is_missing_and_what_is_taken_away_makes_room() {
        let shelf = shelf();
        shelf.put([row(1, 10), row(2, MOST / 2), row(3, MOST / 2), row(4, 10)]);
        let (found, missing) = shelf.get(&open(&[1, 2, 3, 4]));
        assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(missing, [3, 4], "a row that is left out leaves out what comes after it");
        shelf.take_away(&[2]);
        shelf.put([row(3, MOST / 2)]);
        assert_eq!(shelf.get(&open(&[2, 3])).1, [2]);
    }
}
