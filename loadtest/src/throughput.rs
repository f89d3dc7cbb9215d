//! Records per second through the whole aggregator, beside what the same `PostgreSQL` takes of the
//! same rows from a bare program.

use crate::histories::{histories, shuffled};
use anyhow::{Context, ensure};
use devstack::host::term;
use devstack::manifest::ManifestFile;
use service_kit::kafka::{Outgoing, Producer};
use sqlx::{PgPool, Row};
use std::time::{Duration, Instant};

/// Rows of the bare program in one transaction: as many as the aggregator's records.
const BATCH: i64 = 500;

pub(crate) async fn prove(manifest: &ManifestFile, records: usize) -> anyhow::Result<()> {
    let all = manifest.get();
    let pool = PgPool::connect(&all.database_urls["aggregator"]).await?;
    let histories = histories("FLOW", records);
    let list = shuffled(&histories, 7);
    let expected: i64 = histories.iter().map(|h| i64::try_from(h.records.len()).unwrap_or(0)).sum();
    term::line(&format!("\n  {} records of {} orders", list.len(), histories.len()));
    let pid = *all.pids["aggregator"].first().context("no aggregator")?;
    let (started, before) = (Instant::now(), cpu(pid)?);
    let producer = Producer::new(&all.kafka_brokers, "prove-throughput")?;
    for chunk in list.chunks(2_000) {
        let chunk = chunk.iter().map(|r| Outgoing::new(r.topic, "", r.value.to_string()));
        producer.send(&chunk.collect::<Vec<_>>()).await?;
    }
    stored(&pool, expected).await?;
    let took = started.elapsed().as_secs_f64();
    let used = cpu(pid)? - before;
    published(&pool).await?;
    let count = u32::try_from(list.len())?;
    let rate = f64::from(count) / took;
    let per_record = used / f64::from(count) * 1e6;
    let (bare, rows) = bare(&pool).await?;
    let bare_rate = f64::from(u32::try_from(rows)?) / bare;
    term::line(&format!(
        "  aggregator     {rate:>8.0} records/s   {per_record:>5.0} µs of CPU each   {} MB",
        memory(pid)?
    ));
    term::line(&format!(
        "  bare program   {bare_rate:>8.0} rows/s, the same events, timelines and outbox rows"
    ));
    term::line(&format!("  ratio          {:>8.2}", rate / bare_rate));
    Ok(())
}

/// Waits until every event is stored.
async fn stored(pool: &PgPool, expected: i64) -> anyhow::Result<()> {
    let end = Instant::now() + Duration::from_mins(20);
    loop {
        let row = sqlx::query(
            "select count(*) from events where order_id like 'FLOW-%' and key not like 'milepost:%'",
        );
        let count: i64 = row.fetch_one(pool).await?.get(0);
        if count >= expected {
            return Ok(());
        }
        ensure!(Instant::now() < end, "{count} of {expected} events are stored");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Waits until both sides have everything, so that nothing else works on the database.
async fn published(pool: &PgPool) -> anyhow::Result<()> {
    loop {
        let row = sqlx::query("select count(*) from outbox where not (redis_done and kafka_done)");
        let open: i64 = row.fetch_one(pool).await?.get(0);
        if open == 0 {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The same rows, written by statements that nothing has to be decided for. Seconds and rows.
async fn bare(pool: &PgPool) -> anyhow::Result<(f64, usize)> {
    for statement in [
        "create table bare_events (like events including all)",
        "create table bare_timelines (like timelines including all)",
        "create table bare_outbox (like outbox including all)",
        "create table bare_rows as select row_number() over () as place, e.*, e.event::text as text,
           t.version, t.status, t.document::text as document, t.updated_at
         from events e join timelines t using (order_id) where e.order_id like 'FLOW-%'",
        "create index on bare_rows (place)",
    ] {
        sqlx::query(statement).execute(pool).await?;
    }
    let rows: i64 = sqlx::query("select count(*) from bare_rows").fetch_one(pool).await?.get(0);
    let started = Instant::now();
    let mut from = 0;
    while from < rows {
        batch(pool, from).await?;
        from += BATCH;
    }
    Ok((started.elapsed().as_secs_f64(), usize::try_from(rows)?))
}

async fn batch(pool: &PgPool, from: i64) -> anyhow::Result<()> {
    let mut transaction = pool.begin().await?;
    for statement in [
        "insert into bare_events (order_id, key, milestone, occurred_at, received_at, event)
         select order_id, key, milestone, occurred_at, received_at, text::jsonb from bare_rows
         where place > $1 and place <= $1 + $2",
        "insert into bare_timelines select distinct on (order_id) order_id, version, status, document::jsonb, updated_at
         from bare_rows where place > $1 and place <= $1 + $2
         on conflict (order_id) do update set document = excluded.document",
        "insert into bare_outbox (lane, order_id, version, event, timeline, customer)
         select 0, order_id, version, text, document, '{}' from bare_rows where place > $1 and place <= $1 + $2",
    ] {
        sqlx::query(statement).bind(from).bind(BATCH).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Seconds of CPU that a process has used (proc(5), fields 14 and 15, in ticks of 10 ms).
fn cpu(pid: i32) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after = text.rsplit(')').next().unwrap_or_default();
    let ticks = after.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<f64>().ok());
    Ok(ticks.sum::<f64>() / 100.0)
}

/// Resident megabytes of a process.
fn memory(pid: i32) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok());
    Ok(kilobytes.context("no VmRSS")? / 1024)
}
