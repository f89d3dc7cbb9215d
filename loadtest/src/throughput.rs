//! Records per second through the whole aggregator, from a topic that is full already; beside it,
//! on the same server, the same rows written by a program that decides nothing.

mod arrival;
mod feed;
mod gauge;
mod spent;
mod written;
mod bare;
mod turns;
mod copies;
pub(crate) mod scale;

use crate::expected;
use anyhow::{Context, ensure};
use bare::{Bare, Limit};
use devstack::host::term;
use devstack::manifest::ManifestFile;
use devstack::run::stack::Stack;
use feed::{Feed, Sequence};
use gauge::Gauge;
use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use sqlx::{PgPool, Row};
use std::time::{Duration, Instant};
use turns::Turns;
use written::Written;

/// The whole may take so long.
const LIMIT: Duration = Duration::from_mins(30);

/// What came of a run.
struct Run {
    /// Records per second.
    rate: f64,
    /// Seconds of the aggregator's CPU for each.
    cpu: f64,
    /// Megabytes at most.
    memory: u64,
    /// Versions per second.
    versions: f64,
    /// Seconds of the server's CPU for each version.
    database: f64,
}

/// Measures the aggregator and the bare program; wanted: at least half of it, in 200 MB.
pub(crate) async fn prove(stack: &Stack, orders: usize, shuffled: bool) -> anyhow::Result<()> {
    let pool = database(&stack.manifest).await?;
    let sequence = if shuffled { Sequence::Any } else { Sequence::AsItHappens };
    let feed = Feed::fill(&stack.manifest, "FLOW", orders, sequence).await?;
    term::line(&format!("\n  {} records of {orders} orders wait in Kafka", feed.records));
    let bare = Bare::new(&stack.manifest, &pool).await?;
    let before = Written::so_far(&pool).await?;
    stack.aggregator(0).await?;
    begun(&pool).await?;
    let turns = Turns::begin(stack, &pool, bare, before, feed.distinct)?;
    let (run, limit) = drain(stack, &pool, &feed, turns).await?;
    compare(&pool, &feed).await?;
    let looked = feed.sample.len();
    term::line(&format!("\n  {looked} timelines, looked at, equal the fold of their records"));
    let ratio = say(&run, &limit);
    ensure!(run.memory <= 200, "{} MB; 200 are allowed", run.memory);
    ensure!(ratio >= 0.5, "less than half of the bare program");
    Ok(())
}

/// Prints both; gives the ratio.
fn say(run: &Run, limit: &Limit) -> f64 {
    let (micro, ratio) = (1e6, run.versions / limit.rate);
    term::line(&format!(
        "\n  aggregator     {:>8.0} records/s   {:>5.0} µs of CPU each   {} MB at most",
        run.rate,
        run.cpu * micro,
        run.memory
    ));
    term::line(&format!(
        "  that is        {:>8.0} versions/s  {:>5.0} µs of PostgreSQL's CPU each",
        run.versions,
        run.database * micro
    ));
    term::line(&format!(
        "  bare program   {:>8.0} versions/s  {:>5.0} µs of PostgreSQL's CPU each, with the same rows, in its best batches ({})",
        limit.rate,
        limit.database * micro,
        limit.batch
    ));
    term::line(&format!(
        "  ratio          {ratio:>8.2}, of PostgreSQL's CPU alone {:.2}",
        limit.database / run.database
    ));
    ratio
}

/// The aggregator's database. What is looked at is looked up: to read whole tables would cost more
/// the larger they are.
pub(crate) async fn database(manifest: &ManifestFile) -> anyhow::Result<PgPool> {
    let options: PgConnectOptions = manifest.get().database_urls["aggregator"].parse()?;
    let by_index = ["enable_seqscan", "enable_hashjoin", "enable_mergejoin"].map(|o| (o, "off"));
    Ok(PgPool::connect_with(options.options(by_index).options([("jit", "off")])).await?)
}

/// Waits for the first event. The clock runs from here on, as the bare program's does once it has what
/// it writes: how long a process takes until Kafka gives it its partitions is no matter of how much it
/// does then. (What it has read by then, 3,200 records at most, is half a percent of a run of 50,000 orders.)
async fn begun(pool: &PgPool) -> anyhow::Result<()> {
    let (started, any) = (Instant::now(), "select exists (select from events)");
    while !sqlx::query(any).fetch_one(pool).await?.get::<bool, _>(0) {
        ensure!(started.elapsed() < LIMIT, "nothing is stored");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// Waits until everything is read and published on both sides, and gives the bare program its turns.
async fn drain(
    stack: &Stack,
    pool: &PgPool,
    feed: &Feed,
    mut turns: Turns<'_>,
) -> anyhow::Result<(Run, Limit)> {
    let mut gauge = Gauge::new(&stack.manifest.get().pids["aggregator"])?;
    let (started, mut said) = (Instant::now(), Instant::now());
    loop {
        gauge.look()?;
        let about = inserted(pool).await?;
        // The server's counters are seconds old, and stay behind in the end; to count is dear.
        let near = about > feed.distinct / 10 * 9;
        if near {
            // It is over when all is published, not once that was looked at.
            let until = turns.spent.so_far(&stack.manifest.get())?;
            if finished(pool, feed).await? {
                turns.spent = until;
                break;
            }
        }
        turns.look(about).await?;
        if said.elapsed() > Duration::from_secs(10) {
            said = Instant::now();
            term::line(&format!("  {about} of {} events are stored", feed.distinct));
        }
        ensure!(started.elapsed() < LIMIT, "{about} of {} events are stored", feed.distinct);
        // What is asked here is PostgreSQL's work too.
        tokio::time::sleep(Duration::from_millis(if near { 100 } else { 500 })).await;
    }
    let (written, spent, limit) = turns.end().await?;
    spent.print(f64::from(u32::try_from(feed.distinct)?))?;
    let (records, versions) =
        (f64::from(u32::try_from(feed.records)?), f64::from(i32::try_from(written.versions())?));
    let run = Run {
        rate: records / spent.seconds(),
        cpu: spent.of_aggregators() / records,
        memory: gauge.most,
        versions: versions / spent.seconds(),
        database: spent.of("postgres") / versions,
    };
    Ok((run, limit))
}

/// Events that were written since the server is up, as its own counters tell: counting rows would
/// cost what is to be measured.
async fn inserted(pool: &PgPool) -> anyhow::Result<i64> {
    let counters = "select coalesce(sum(n_tup_ins), 0)::bigint from pg_stat_user_tables
                    where relname like 'events_2%'";
    Ok(sqlx::query(counters).fetch_one(pool).await?.get(0))
}

/// Is every event of the feed stored, and every version published? To count is dear: while anything is open there is
/// no need.
async fn finished(pool: &PgPool, feed: &Feed) -> anyhow::Result<bool> {
    Ok(published(pool).await? && stored(pool, feed).await? && published(pool).await?)
}

/// Is every event of the feed stored (without what the clock said)?
async fn stored(pool: &PgPool, feed: &Feed) -> anyhow::Result<bool> {
    let all = "select count(*) from generate_series(0, $2 - 1) as number
         join events on order_id = $1 || '-' || number where key not like 'milepost:%'";
    let stored = sqlx::query(all).bind(&feed.prefix).bind(i32::try_from(feed.orders)?);
    Ok(stored.fetch_one(pool).await?.get::<i64, _>(0) >= feed.distinct)
}

/// Is every version published on both sides?
async fn published(pool: &PgPool) -> anyhow::Result<bool> {
    // Side by side: each stops at the first row of its index.
    let open = "select exists (select from outbox where not kafka_done)
                  or exists (select from outbox where not redis_done)";
    Ok(!sqlx::query(open).fetch_one(pool).await?.get::<bool, _>(0))
}

/// Every order that was kept back is the fold of its records.
async fn compare(pool: &PgPool, feed: &Feed) -> anyhow::Result<()> {
    for history in &feed.sample {
        let row = sqlx::query("select document from timelines where order_id = $1");
        let row = row.bind(&history.order).fetch_optional(pool).await?;
        let document: Value = row.with_context(|| history.order.clone())?.get(0);
        expected::compare(history, &document)?;
    }
    Ok(())
}
