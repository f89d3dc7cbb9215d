//! The limit: a program that is given the rows that the aggregator wrote (all but a few: due times
//! that were taken back, changes of customers), and writes them to tables like the aggregator's, over
//! two connections, in large batches, deciding nothing.

mod share;
mod write;

use super::written::Written;
use crate::reader;
use anyhow::Context;
use devstack::manifest::ManifestFile;
use serde_json::Value;
use service_kit::kafka::{BatchConsumer, Portion};
use share::Shares;
use sqlx::{AssertSqlSafe, PgPool};
use std::time::{Duration, Instant};

/// Rows in one transaction: each is tried on its share of the rows, the quickest is the limit.
const BATCHES: [usize; 3] = [500, 2_000, 5_000];
/// Rows that are read before the clock runs.
const PORTION: usize = 20_000;

/// What it writes to.
const TABLES: [&str; 7] = ["events", "timelines", "outbox", "orders", "due", "parked", "aliases"];

/// A version as the aggregator published it.
struct Version {
    order: String,
    number: i64,
    /// What tells its event from the order's others.
    key: String,
    event: String,
    timeline: String,
    customer: String,
}

/// Versions per second, each with its other rows, and the size of the batches.
pub(super) async fn rate(
    manifest: &ManifestFile,
    pool: &PgPool,
    most: usize,
    written: &Written,
) -> anyhow::Result<(f64, usize)> {
    for table in TABLES {
        let statement = format!("create table bare_{table} (like {table} including all)");
        sqlx::query(AssertSqlSafe(statement)).execute(pool).await?;
    }
    let with = Shares::of(written);
    let consumer = reader::timelines(manifest, "bare").await;
    let (mut rows, mut shares) = (0_usize, [(0_usize, 0.0); BATCHES.len()]);
    for turn in (0..BATCHES.len()).cycle() {
        let versions = read(&consumer).await?;
        if versions.is_empty() || rows >= most {
            break;
        }
        rows += versions.len();
        shares[turn].0 += versions.len();
        let started = Instant::now();
        // An order's versions stay with one writer, in their order.
        let (one, other): (Vec<Version>, Vec<Version>) = versions
            .into_iter()
            .partition(|v| v.order.bytes().map(u32::from).sum::<u32>() % 2 == 0);
        let size = BATCHES[turn];
        tokio::try_join!(write::all(pool, &one, size, with), write::all(pool, &other, size, with))?;
        shares[turn].1 += started.elapsed().as_secs_f64();
    }
    best(&shares)
}

fn best(shares: &[(usize, f64)]) -> anyhow::Result<(f64, usize)> {
    let used = shares.iter().zip(BATCHES).filter(|((rows, _), _)| *rows > 0);
    let mut rates = Vec::new();
    for ((rows, seconds), batch) in used {
        rates.push((f64::from(u32::try_from(*rows)?) / seconds, batch));
    }
    rates.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).context("nothing was published")
}

/// So many versions, or what is left, as they came.
async fn read(consumer: &BatchConsumer) -> anyhow::Result<Vec<Version>> {
    let portion =
        Portion { records: PORTION, bytes: usize::MAX, linger: Duration::from_millis(50) };
    let mut versions = Vec::new();
    while versions.len() < PORTION {
        let next = tokio::time::timeout(Duration::from_secs(2), consumer.next(portion)).await;
        let Ok(records) = next else { break };
        for record in records {
            versions.push(version(&record.value)?);
        }
    }
    Ok(versions)
}

fn version(value: &[u8]) -> anyhow::Result<Version> {
    let message: Value = serde_json::from_slice(value)?;
    let (timeline, event) = (&message["timeline"], &message["event"]);
    let part = |name: &str| event[name].as_str().context("an event without a key");
    Ok(Version {
        order: timeline["order"].as_str().context("no order")?.to_owned(),
        number: timeline["version"].as_i64().context("no version")?,
        key: format!("{}:{}", part("source")?, part("id")?),
        event: event.to_string(),
        timeline: timeline.to_string(),
        customer: message["customer"].to_string(),
    })
}
