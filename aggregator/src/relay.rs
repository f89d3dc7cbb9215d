//! Publishes the committed outbox: Redis for whoever watches, Kafka for whoever works on.
//!
//! A loop for either side, neither waits for the other, one for dead letters (`letters`) and one that makes
//! room where rows were (`room`). A lane has one owner at a time, so the versions of an order leave in order; a
//! crash, or a lane that changes hands, means a second publish, never a lost one. What the two share is what
//! was published and is not written down yet (`done`), and what Kafka's found that another process wrote.

mod lanes;
mod done;
mod room;
mod to_kafka;
mod to_redis;
mod letters;

pub use lanes::Lanes;

use crate::pipeline::{Calm, Pipeline};
use crate::shelf::Shelf;
use crate::store::outbox::{self, Open, Row, Side, lane_of};
use done::Done;
use room::Gone;
use service_kit::health::Health;
use service_kit::kafka::Producer;
use service_kit::lifecycle::Lifecycle;
use service_kit::live_bus::LivePublisher;
use sqlx::PgPool;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, watch};

/// Rows of a lane that are taken at a time: what is asked for, sent and confirmed together costs little
/// more than one row.
const PORTION: i64 = 200;
/// So many rows of a lane were as many as are taken at a time: there may be more.
const FULL: usize = 200;

/// One round of a loop.
struct Round<'a> {
    /// Hears of commits since before the portion was read: one that came meanwhile is not waited for.
    committed: Notified<'a>,
    began: Instant,
    /// Not sooner than this after its beginning comes the next one.
    pace: Duration,
}

/// What the loops work with.
#[derive(Clone)]
struct Relay {
    pool: PgPool,
    lanes: Lanes,
    shelf: Shelf,
    done: Done,
    gone: Gone,
    committed: Arc<Notify>,
    /// When pages heard last, by what Kafka lacks, of all that others wrote.
    looked: watch::Sender<Option<Instant>>,
    calm: Calm,
    health: Health,
}

/// Starts the loops.
pub fn start(
    life: &Lifecycle,
    pool: PgPool,
    pipeline: &Pipeline,
    live: LivePublisher,
    producer: &Producer,
    health: Health,
    lanes: Lanes,
) {
    let relay = Relay {
        lanes,
        pool,
        shelf: pipeline.shelf.clone(),
        done: Done::default(),
        gone: Gone::default(),
        committed: pipeline.committed.clone(),
        looked: watch::Sender::default(),
        calm: pipeline.calm.clone(),
        health,
    };
    let (redis, soft) = (relay.clone(), life.soft().clone());
    life.spawn("relay to redis", async move {
        tokio::select! {
            () = to_redis::run(&redis, live) => {}
            () = soft.cancelled() => redis.end(Side::Redis).await,
        }
    });
    let (emptied, soft) = (relay.clone(), life.soft().clone());
    life.spawn("room in the outbox", async move {
        tokio::select! {
            () = room::keep(&emptied) => {}
            () = soft.cancelled() => {}
        }
    });
    let (dead, soft, to) = (relay.clone(), life.soft().clone(), producer.clone());
    life.spawn("dead letters", async move {
        tokio::select! {
            () = letters::run(&dead, to) => {}
            () = soft.cancelled() => {}
        }
    });
    let (soft, producer) = (life.soft().clone(), producer.clone());
    life.spawn("relay to kafka", async move {
        tokio::select! {
            () = to_kafka::run(&relay, producer) => {}
            () = soft.cancelled() => relay.end(Side::Kafka).await,
        }
    });
}

impl Relay {
    /// The oldest rows of these lanes that a side lacks, but for some.
    async fn open(
        &self,
        side: Side,
        lanes: &[i16],
        but: impl IntoIterator<Item = i64>,
    ) -> Result<Vec<Arc<Row>>, sqlx::Error> {
        self.write_down(side, false).await?;
        if lanes.is_empty() {
            return Ok(Vec::new());
        }
        let mut untold = self.done.untold(side);
        untold.extend(but);
        let open = outbox::open(&self.pool, side, lanes, PORTION, &untold).await?;
        let (mut rows, missing) = self.shelf.get(&open);
        if !missing.is_empty() {
            let read = outbox::read(&self.pool, &missing).await?.into_iter().map(Arc::new);
            let read: Vec<Arc<Row>> = read.collect();
            // The other side asks for them too.
            self.shelf.put_back(&read);
            rows.extend(read);
            rows.sort_unstable_by_key(|row| row.id);
        }
        if side == Side::Kafka {
            let all = self.tell_pages(&open, missing) && !fills_a_lane(&rows);
            self.looked.send_replace(all.then(Instant::now));
        }
        Ok(rows)
    }

    /// Of rows that were read for Kafka, pages have not heard of those that Redis lacks: another process wrote
    /// them. They are as good as committed here just now. False when some have no room on the shelf.
    fn tell_pages(&self, open: &[Open], read: Vec<i64>) -> bool {
        if read.is_empty() {
            return true;
        }
        let new = unheard(open, &self.done.untold(Side::Redis), read);
        self.shelf.committed(&new);
        if !new.is_empty() {
            self.committed.notify_waiters();
        }
        self.shelf.has(&new)
    }

    /// Notes that a side has rows.
    async fn has(&self, side: Side, ids: &[i64]) -> Result<(), sqlx::Error> {
        let both = self.done.note(side, ids);
        self.remove(&both).await
    }

    async fn remove(&self, both: &[i64]) -> Result<(), sqlx::Error> {
        if both.is_empty() {
            return Ok(());
        }
        outbox::remove(&self.pool, both).await?;
        self.gone.add(both.len());
        self.shelf.take_away(both);
        self.done.forget(both);
        Ok(())
    }

    /// Writes down what a side has and the other has not taken for a while (at the end, at all).
    async fn write_down(&self, side: Side, at_the_end: bool) -> Result<(), sqlx::Error> {
        self.remove(&self.done.left(at_the_end)).await?;
        let late = self.done.late(side, at_the_end);
        if late.is_empty() {
            return Ok(());
        }
        outbox::has(&self.pool, side, &late).await?;
        self.gone.add(late.len());
        self.shelf.take_away(&late);
        self.done.forget(&late);
        Ok(())
    }

    /// Writes down what a side has, so that the next process need not publish it again.
    async fn end(&self, side: Side) {
        if let Err(error) = self.write_down(side, true).await {
            tracing::warn!(%error, side = side.name(), "some versions will be published again");
        }
    }

    /// After a full portion there may be more at once; else until a commit, or a while: another
    /// process may have committed. While there is much to do, rounds keep a pace: what is
    /// committed meanwhile goes together.
    async fn rest(&self, full: bool, round: Round<'_>) {
        if full {
            return;
        }
        tokio::select! {
            () = round.committed => {}
            () = tokio::time::sleep(Duration::from_millis(50)) => {}
        }
        tokio::time::sleep_until((round.began + round.pace).into()).await;
    }

    /// A round begins: a portion is going to be read.
    fn round(&self, pace: Duration) -> Round<'_> {
        Round { committed: self.committed.notified(), began: Instant::now(), pace }
    }

    /// Tells the health of a loop and how to go on after an error.
    async fn report(&self, name: &'static str, result: Result<bool, String>, round: Round<'_>) {
        match result {
            Ok(full) => {
                self.health.good(name);
                self.rest(full, round).await;
            }
            Err(error) => {
                self.health.bad(name, "cannot publish");
                tracing::warn!(to = name, error, "publishing is tried again");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

/// Those of the rows that were read which Redis lacks: neither the database says that it has them, nor this process.
fn unheard(open: &[Open], told: &[i64], mut read: Vec<i64>) -> Vec<i64> {
    let has = open.iter().filter(|row| row.other).map(|row| &row.id);
    let has: HashSet<&i64> = has.chain(told).collect();
    read.retain(|id| !has.contains(id));
    read
}

/// Are there as many rows of one lane as are taken at a time?
fn fills_a_lane(rows: &[Arc<Row>]) -> bool {
    let mut lanes: HashMap<i16, usize> = HashMap::new();
    for row in rows {
        *lanes.entry(lane_of(&row.order_id)).or_default() += 1;
    }
    lanes.into_values().any(|count| count >= FULL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use service_kit::clock;

    fn row(order: String) -> Arc<Row> {
        let (id, version, created_at) = (1, 1, clock::now());
        let (event, timeline, customer) = (String::new(), String::new(), String::new());
        let (previous_status, traceparent) = (None, None);
        Arc::new(Row {
            id,
            order_id: order,
            version,
            event,
            timeline,
            previous_status,
            customer,
            traceparent,
            created_at,
        })
    }

    #[test]
    fn pages_hear_of_what_was_read_and_redis_lacks() {
        let open = [(1, false), (2, true), (3, false), (4, false)];
        let open = open.map(|(id, other)| Open { id, order_id: "T".to_owned(), version: 1, other });
        assert_eq!(unheard(&open, &[3], vec![1, 2, 3]), [1]);
    }

    #[test]
    fn a_lane_is_full_whatever_the_others_have() {
        let order = |number: &usize| lane_of(&format!("TM-{number}")) == lane_of("TM-0");
        let (of_one, of_others): (Vec<usize>, Vec<usize>) = (0..FULL * 16).partition(order);
        let rows = |numbers: &[usize], count: usize| -> Vec<Arc<Row>> {
            numbers.iter().take(count).map(|number| row(format!("TM-{number}"))).collect()
        };
        assert!(fills_a_lane(&rows(&of_one, FULL)));
        let few = [rows(&of_one, FULL - 1), rows(&of_others, FULL)].concat();
        assert!(!fills_a_lane(&few), "many rows, and few of each lane");
    }
}
