//! Publishes the committed outbox: Redis for whoever watches, Kafka for whoever works on.
//!
//! Two loops, neither waits for the other. A lane has one owner at a time, so the versions of an
//! order leave in order; a crash means a second publish, never a lost one.

mod lanes;
mod to_redis;
mod to_kafka;

pub use lanes::Lanes;

use crate::pipeline::Pipeline;
use service_kit::health::Health;
use service_kit::kafka::Producer;
use service_kit::lifecycle::Lifecycle;
use service_kit::live_bus::LivePublisher;
use sqlx::PgPool;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// Rows of a lane that are taken at a time.
const PORTION: i64 = 32;
/// A portion of so many rows may have been a lane's full one: there may be more.
const FULL: usize = 32;

/// What both loops work with.
#[derive(Clone)]
struct Relay {
    pool: PgPool,
    lanes: Lanes,
    committed: Arc<Notify>,
    health: Health,
}

/// Starts both loops and the keeper of the lanes.
pub fn start(
    life: &Lifecycle,
    pipeline: &Pipeline,
    live: LivePublisher,
    producer: Producer,
    health: Health,
) {
    let lanes = Lanes::keep(life, pipeline.pool.clone());
    let relay =
        Relay { pool: pipeline.pool.clone(), lanes, committed: pipeline.committed.clone(), health };
    let (redis, soft) = (relay.clone(), life.soft().clone());
    life.spawn("relay to redis", async move {
        tokio::select! {
            () = to_redis::run(redis, live) => {}
            () = soft.cancelled() => {}
        }
    });
    let soft = life.soft().clone();
    life.spawn("relay to kafka", async move {
        tokio::select! {
            () = to_kafka::run(relay, producer) => {}
            () = soft.cancelled() => {}
        }
    });
}

impl Relay {
    /// After a full portion there may be more at once; else until a commit, or a while: another
    /// process may have committed.
    async fn rest(&self, full: bool) {
        if full {
            return;
        }
        tokio::select! {
            () = self.committed.notified() => {}
            () = tokio::time::sleep(Duration::from_millis(50)) => {}
        }
    }

    /// Tells the health of a side and how to go on after an error.
    async fn report(&self, side: &'static str, result: Result<bool, String>) {
        match result {
            Ok(full) => {
                self.health.good(side);
                self.rest(full).await;
            }
            Err(error) => {
                self.health.bad(side, "cannot publish");
                tracing::warn!(side, error, "publishing is tried again");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}
