//! kill -9 of the aggregator at exact points. Each is reached by holding what its next step needs:
//! a table that is locked, a server that is stopped; nothing in the aggregator knows of it.

use crate::histories::{History, histories, shuffled};
use crate::{settle, signal};
use anyhow::{Context, ensure};
use devstack::client::Rest;
use devstack::host::term;
use devstack::manifest::ManifestFile;
use devstack::run::stack::Stack;
use devstack::shop::native::Native;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use service_kit::kafka::{Outgoing, Producer};
use sqlx::{PgPool, Postgres, Row, Transaction};
use std::time::Duration;
use tokio::time::Instant;

/// A point is reached, and a crash healed, within this.
const LIMIT: Duration = Duration::from_secs(30);

/// What is held, so that the aggregator stands at a point.
#[derive(Debug, Clone, Copy)]
enum Point {
    /// Records are read from Kafka, nothing of them is written.
    Read,
    /// All is written but the last table, nothing is committed.
    Uncommitted,
    /// Committed, published nowhere.
    Committed,
    /// Redis has it, Kafka does not.
    RedisOnly,
    /// Kafka has it, Redis does not.
    KafkaOnly,
}

const POINTS: [(Point, &str); 5] = [
    (Point::Read, "after the read"),
    (Point::Uncommitted, "before the commit"),
    (Point::Committed, "after the commit"),
    (Point::RedisOnly, "between Redis and Kafka"),
    (Point::KafkaOnly, "between Kafka and Redis"),
];

pub(crate) async fn prove(stack: &Stack, records: usize) -> anyhow::Result<()> {
    let (manifest, histories) = (&stack.manifest, histories("CRASH", records));
    let all = shuffled(&histories, 13);
    let stage = Stage::new(manifest).await?;
    term::line(&format!("\n  {} records of {} orders, shuffled\n", all.len(), histories.len()));
    let part = all.len().div_ceil(POINTS.len() + 1);
    let mut parts = all.chunks(part);
    for (point, name) in POINTS {
        let chunk = parts.next().context("too few records")?;
        stage.strike(point, chunk).await.with_context(|| name.to_owned())?;
        term::line(&format!("  kill -9 {name}"));
    }
    rebalance(stack, &stage, parts.next().unwrap_or_default()).await?;
    settle::all(manifest, &stage.rest, &histories as &[History]).await
}

/// A second aggregator joins while records come, and is killed.
async fn rebalance(stack: &Stack, stage: &Stage, records: &[Native]) -> anyhow::Result<()> {
    let (first, rest) = records.split_at(records.len() / 3);
    let (second, third) = rest.split_at(rest.len() / 2);
    stage.write(first).await?;
    let (joined, written) = tokio::join!(stack.aggregator(1), stage.write(second));
    joined?;
    written?;
    signal::send(&stage.manifest, "aggregator", 1, Signal::SIGKILL)?;
    stage.write(third).await?;
    term::line("  a second aggregator joined in the middle and was killed");
    Ok(())
}

/// Where the play is.
struct Stage {
    manifest: ManifestFile,
    rest: Rest,
    producer: Producer,
    pool: PgPool,
}

impl Stage {
    async fn new(manifest: &ManifestFile) -> anyhow::Result<Self> {
        let all = manifest.get();
        Ok(Self {
            manifest: manifest.clone(),
            rest: Rest::new(manifest.get())?,
            producer: Producer::new(&all.kafka_brokers, "prove-crash")?,
            pool: PgPool::connect(&all.database_urls["aggregator"]).await?,
        })
    }

    async fn write(&self, records: &[Native]) -> anyhow::Result<()> {
        for chunk in records.chunks(20) {
            let all: Vec<Outgoing> =
                chunk.iter().map(|r| Outgoing::new(r.topic, "", r.body())).collect();
            self.producer.send(&all).await?;
        }
        Ok(())
    }

    /// Brings the aggregator to a point, kills it there, lets go, and waits until it works again.
    async fn strike(&self, point: Point, records: &[Native]) -> anyhow::Result<()> {
        let half = records.len() / 2;
        let held = match point {
            Point::Read => self.hold("lock table events in share mode").await?,
            Point::Uncommitted => self.hold("lock table due in share mode").await?,
            _ => self.hold("lock table lanes in exclusive mode").await?,
        };
        if !matches!(point, Point::Read | Point::Uncommitted) {
            // The leases that are trusted still run out.
            tokio::time::sleep(Duration::from_secs(6)).await;
        }
        self.write(&records[..half]).await?;
        match point {
            Point::Read => self.until(&waits_for("insert into events")).await?,
            Point::Uncommitted => self.until(&waits_for("with old as")).await?,
            _ => {
                self.until("select count(*) from outbox where not redis_done and not kafka_done")
                    .await?;
            }
        }
        let stopped = match point {
            Point::RedisOnly => Some(self.stop("kafka")?),
            Point::KafkaOnly => Some(self.stop("redis")?),
            _ => None,
        };
        let mut held = Some(held);
        if stopped.is_some() {
            drop(held.take());
            let one_side = match point {
                Point::RedisOnly => {
                    "select count(*) from outbox where redis_done and not kafka_done"
                }
                _ => "select count(*) from outbox where kafka_done and not redis_done",
            };
            self.until(one_side).await?;
        }
        signal::send(&self.manifest, "aggregator", 0, Signal::SIGKILL)?;
        drop(held);
        if let Some(server) = stopped {
            kill(Pid::from_raw(server), Signal::SIGCONT)?;
        }
        self.write(&records[half..]).await?;
        self.until("select count(*) where not exists (select from outbox where not (redis_done and kafka_done))")
            .await
    }

    /// Holds a lock until the transaction is dropped.
    async fn hold(&self, lock: &'static str) -> anyhow::Result<Transaction<'static, Postgres>> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query(lock).execute(&mut *transaction).await?;
        Ok(transaction)
    }

    fn stop(&self, server: &str) -> anyhow::Result<i32> {
        let pid = self.manifest.get().servers.get(server).context("not our server")?.pid;
        kill(Pid::from_raw(pid), Signal::SIGSTOP)?;
        Ok(pid)
    }

    /// Waits until a count is above zero.
    async fn until(&self, count: &str) -> anyhow::Result<()> {
        let end = Instant::now() + LIMIT;
        loop {
            let row = sqlx::query(sqlx::AssertSqlSafe(count.to_owned()));
            if row.fetch_one(&self.pool).await?.get::<i64, _>(0) > 0 {
                return Ok(());
            }
            ensure!(Instant::now() < end, "it does not come to: {count}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A statement of the aggregator's that waits for a lock.
fn waits_for(statement: &str) -> String {
    format!(
        "select count(*) from pg_stat_activity
         where wait_event_type = 'Lock' and query like '{statement}%'"
    )
}
