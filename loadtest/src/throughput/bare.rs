//! The limit: a program that is given versions that the aggregator wrote a moment ago, and writes them to tables like
//! the aggregator's, over two connections, in large batches, deciding nothing: of each of these tables as many rows for a
//! version as the aggregator wrote. (Left out are due times that were taken back, and what is small: counts of codes,
//! leases.)

mod due;
mod newest;
mod rounds;
mod share;
mod sizes;
mod write;

use super::gauge::cpu_with_children;
use super::written::Written;
use anyhow::Context;
use chrono::{DateTime, Utc};
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

/// What it writes to, as the aggregator's tables are called.
const TABLES: [&str; 7] = ["events", "timelines", "outbox", "orders", "due", "parked", "aliases"];

/// A version as the aggregator published it.
struct Version {
    order: String,
    lane: i16,
    number: i64,
    status: String,
    updated_at: DateTime<Utc>,
    /// What tells its event from the order's others.
    key: String,
    milestone: String,
    occurred_at: DateTime<Utc>,
    received_at: DateTime<Utc>,
    /// One of the times at which its order is looked at again.
    due: (String, DateTime<Utc>),
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
    /// With empty tables of its own. The server does not clean them up by itself: that would happen while the
    /// aggregator has its turn.
    pub(super) async fn new(manifest: &ManifestFile, pool: &PgPool) -> anyhow::Result<Self> {
        for table in TABLES {
            // As the aggregator's, which leaves room in its pages.
            let filled = if table == "timelines" { 60 } else { 100 };
            let statement = format!(
                "create table bare_{table} (like {table} including all)
                 with (autovacuum_enabled = off, toast.autovacuum_enabled = off, fillfactor = {filled})"
            );
            sqlx::query(AssertSqlSafe(statement)).execute(pool).await?;
        }
        let manifest = manifest.get();
        let server = manifest.servers.get("postgres").context("the server is not ours")?.pid;
        let newest = Newest::open(&manifest.kafka_brokers)?;
        Ok(Self { pool: pool.clone(), server, newest, sizes: Sizes::default() })
    }

    /// Writes what was published last, with as many rows of each table for a version as the aggregator wrote since the
    /// last turn. What the server cleaned up meanwhile it cleans up here too, beside that; nobody waits for its end.
    pub(super) async fn turn(&mut self, written: &Written) -> anyhow::Result<()> {
        let (pool, with) = (&self.pool, Shares::of(written));
        let mut versions = self.newest.read(PORTION as usize)?;
        due::look_up(pool, &mut versions).await?;
        let (size, count) = (self.sizes.next(), f64::from(u32::try_from(versions.len())?));
        let (spent, started) = (cpu_with_children(self.server)?, Instant::now());
        // An order's versions stay with one writer, in their order.
        let (one, other): (Vec<Version>, Vec<Version>) = versions
            .into_iter()
            .partition(|v| v.order.bytes().map(u32::from).sum::<u32>() % 2 == 0);
        let write = async {
            let (one, other) =
                (write::all(pool, &one, size, with), write::all(pool, &other, size, with));
            tokio::try_join!(one, other)?;
            Ok((started.elapsed().as_secs_f64(), cpu_with_children(self.server)? - spent))
        };
        let ((seconds, spent), ()) = tokio::try_join!(write, clean(pool, written))?;
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

/// How a table is vacuumed: the aggregator's way, which does not keep writers from their table.
const VACUUM: &str = "vacuum (index_cleanup on, truncate off, parallel 0)";

/// Goes through the tables whose like the server went through.
async fn clean(pool: &PgPool, written: &Written) -> anyhow::Result<()> {
    let (vacuumed, analyzed) = written.cleaned();
    let (vacuum, analyze) =
        (vacuumed.into_iter().map(|t| (VACUUM, t)), analyzed.into_iter().map(|t| ("analyze", t)));
    for (what, table) in vacuum.chain(analyze).filter(|(_, table)| TABLES.contains(table)) {
        let statement = format!("{what} bare_{table}");
        sqlx::query(AssertSqlSafe(statement)).execute(pool).await?;
    }
    Ok(())
}
