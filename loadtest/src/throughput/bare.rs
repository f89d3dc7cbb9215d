//! The limit: a program that is given rows that the aggregator wrote a moment ago (all but a few: due
//! times that were taken back, changes of customers), and writes them to tables like the aggregator's,
//! over two connections, in large batches, deciding nothing.

mod newest;
mod share;
mod write;

use super::gauge::cpu_with_children;
use super::written::Written;
use anyhow::Context;
use devstack::manifest::ManifestFile;
use newest::Newest;
use share::Shares;
use sqlx::{AssertSqlSafe, PgPool};
use std::time::Instant;

/// Rows in one transaction: each is tried on its share of the rows, the quickest is the limit.
const BATCHES: [usize; 3] = [500, 2_000, 6_000];
/// Versions that are written in a turn.
const PORTION: usize = 12_000;

/// What it writes to.
const TABLES: [&str; 7] = ["events", "timelines", "outbox", "orders", "due", "parked", "aliases"];

/// A version as the aggregator published it.
struct Version {
    order: String,
    number: i64,
    /// What tells its event from the order's others.
    key: String,
    previous_status: Option<String>,
    traceparent: Option<String>,
    event: String,
    timeline: String,
    customer: String,
}

/// What batches of one size took.
#[derive(Clone, Copy, Default)]
struct Took {
    versions: f64,
    seconds: f64,
    /// Seconds of the server's CPU.
    database: f64,
}

/// What the best batches took.
pub(super) struct Limit {
    /// Versions in one transaction.
    pub(super) batch: usize,
    /// Versions per second, each with its other rows.
    pub(super) rate: f64,
    /// Seconds of the server's CPU for each.
    pub(super) database: f64,
}

/// The bare program.
pub(super) struct Bare {
    pool: PgPool,
    /// The server's process.
    server: i32,
    newest: Newest,
    turn: usize,
    took: [Took; BATCHES.len()],
}

impl Bare {
    /// With empty tables of its own. Nobody cleans them up: that would happen while the aggregator has its turn.
    pub(super) async fn new(manifest: &ManifestFile, pool: &PgPool) -> anyhow::Result<Self> {
        for table in TABLES {
            let statement = format!(
                "create table bare_{table} (like {table} including all)
                 with (autovacuum_enabled = off, toast.autovacuum_enabled = off)"
            );
            sqlx::query(AssertSqlSafe(statement)).execute(pool).await?;
        }
        let manifest = manifest.get();
        let server = manifest.servers.get("postgres").context("the server is not ours")?.pid;
        let newest = Newest::open(&manifest.kafka_brokers)?;
        Ok(Self { pool: pool.clone(), server, newest, turn: 0, took: Default::default() })
    }

    /// Writes what was published last; with so many rows in the smaller tables.
    pub(super) async fn turn(&mut self, written: &Written) -> anyhow::Result<()> {
        let (pool, with) = (&self.pool, Shares::of(written));
        let versions = self.newest.read(PORTION)?;
        let (took, size) = (&mut self.took[self.turn], BATCHES[self.turn]);
        self.turn = (self.turn + 1) % BATCHES.len();
        took.versions += f64::from(u32::try_from(versions.len())?);
        let (spent, started) = (cpu_with_children(self.server)?, Instant::now());
        // An order's versions stay with one writer, in their order.
        let (one, other): (Vec<Version>, Vec<Version>) = versions
            .into_iter()
            .partition(|v| v.order.bytes().map(u32::from).sum::<u32>() % 2 == 0);
        tokio::try_join!(write::all(pool, &one, size, with), write::all(pool, &other, size, with))?;
        took.seconds += started.elapsed().as_secs_f64();
        took.database += cpu_with_children(self.server)? - spent;
        Ok(())
    }

    /// The quickest.
    pub(super) fn best(&self) -> anyhow::Result<Limit> {
        let used = self.took.iter().zip(BATCHES).filter(|(took, _)| took.versions > 0.0);
        let limits = used.map(|(took, batch)| Limit {
            batch,
            rate: took.versions / took.seconds,
            database: took.database / took.versions,
        });
        limits.max_by(|a, b| a.rate.total_cmp(&b.rate)).context("nothing was published")
    }
}
