//! The limit: a program that is given rows that the aggregator wrote a moment ago (all but a few: due
//! times that were taken back, changes of customers), and writes them to tables like the aggregator's,
//! over two connections, in large batches, deciding nothing.

mod newest;
mod share;
mod sizes;
mod write;

use super::gauge::cpu_with_children;
use super::written::Written;
use anyhow::Context;
use devstack::host::term;
use devstack::manifest::ManifestFile;
use newest::Newest;
use share::Shares;
pub(super) use sizes::Limit;
use sizes::{Sizes, Took};
use sqlx::{AssertSqlSafe, PgPool};
use std::time::Instant;

/// Versions that are written in a turn.
pub(super) const PORTION: u32 = 12_000;

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

/// The bare program.
pub(super) struct Bare {
    pool: PgPool,
    /// The server's process.
    server: i32,
    newest: Newest,
    sizes: Sizes,
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
        Ok(Self { pool: pool.clone(), server, newest, sizes: Sizes::default() })
    }

    /// Writes what was published last; with so many rows in the smaller tables.
    pub(super) async fn turn(&mut self, written: &Written) -> anyhow::Result<()> {
        let (pool, with) = (&self.pool, Shares::of(written));
        let versions = self.newest.read(PORTION as usize)?;
        let (size, count) = (self.sizes.next(), f64::from(u32::try_from(versions.len())?));
        let (spent, started) = (cpu_with_children(self.server)?, Instant::now());
        // An order's versions stay with one writer, in their order.
        let (one, other): (Vec<Version>, Vec<Version>) = versions
            .into_iter()
            .partition(|v| v.order.bytes().map(u32::from).sum::<u32>() % 2 == 0);
        tokio::try_join!(write::all(pool, &one, size, with), write::all(pool, &other, size, with))?;
        let (seconds, spent) =
            (started.elapsed().as_secs_f64(), cpu_with_children(self.server)? - spent);
        self.sizes.add(Took::turn(count, seconds, spent));
        Ok(())
    }

    /// What the best batches took; prints how quick the others were beside them.
    pub(super) fn limit(&self) -> anyhow::Result<Limit> {
        let others = self.sizes.others().into_iter();
        let others: Vec<String> =
            others.map(|(size, times)| format!("of {size}: {times:.2} times as quick")).collect();
        if !others.is_empty() {
            term::line(&format!("  other batches of the bare program: {}", others.join(", ")));
        }
        self.sizes.limit()
    }
}
