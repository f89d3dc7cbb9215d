//! Publishes the committed outbox: Redis for whoever watches, Kafka for whoever works on.
//!
//! Loops for either side, neither waits for the other, and one for dead letters (`letters`). A lane has one owner
//! at a time, so the versions of an order leave in order; a crash, or a lane that changes hands, means a second
//! publish, never a lost one. What the two share is what was published and is not written down yet (`done`).

mod lanes;
mod done;
mod to_redis;
mod to_kafka;
mod letters;

pub use lanes::Lanes;

use crate::pipeline::{Calm, Pipeline};
use crate::shelf::Shelf;
use crate::store::outbox::{self, Row, Side};
use done::Done;
use service_kit::health::Health;
use service_kit::kafka::Producer;
use service_kit::lifecycle::Lifecycle;
use service_kit::live_bus::LivePublisher;
use sqlx::PgPool;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Rows of a lane that are taken at a time: what is asked for, sent and confirmed together costs little
/// more than one row.
const PORTION: i64 = 160;
/// A portion of so many rows may have been a lane's full one: there may be more.
const FULL: usize = 160;

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
    committed: Arc<Notify>,
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
        committed: pipeline.committed.clone(),
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
    let (dead, soft, to) = (relay.clone(), life.soft().clone(), producer.clone());
    life.spawn("dead letters", async move {
        tokio::select! {
            () = letters::run(&dead, to) => {}
            () = soft.cancelled() => {}
        }
    });
    for (share, name) in (0..).zip(to_kafka::SHARES) {
        let (relay, soft, producer) = (relay.clone(), life.soft().clone(), producer.clone());
        life.spawn("relay to kafka", async move {
            tokio::select! {
                () = to_kafka::run(&relay, producer, share, name) => {}
                () = soft.cancelled() => relay.end(Side::Kafka).await,
            }
        });
    }
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
        Ok(rows)
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
