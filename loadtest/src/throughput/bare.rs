//! The limit: a program that is given the very rows that the aggregator wrote, and writes them to
//! tables like the aggregator's, over two connections, in large batches, deciding nothing.

use crate::reader;
use anyhow::Context;
use devstack::manifest::ManifestFile;
use serde_json::Value;
use service_kit::kafka::{BatchConsumer, Portion};
use sqlx::{AssertSqlSafe, PgConnection, PgPool};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Rows in one transaction: each is tried on its share of the rows, the quickest is the limit.
const BATCHES: [usize; 3] = [500, 2_000, 5_000];
/// Rows that are read before the clock runs.
const PORTION: usize = 20_000;

/// A version as the aggregator published it.
struct Version {
    order: String,
    number: i64,
    event: String,
    timeline: String,
    customer: String,
}

/// Rows per second, and the size of the batches.
pub(super) async fn rate(
    manifest: &ManifestFile,
    pool: &PgPool,
    most: usize,
) -> anyhow::Result<(f64, usize)> {
    for table in ["events", "timelines", "outbox", "orders"] {
        let statement = format!("create table bare_{table} (like {table} including all)");
        sqlx::query(AssertSqlSafe(statement)).execute(pool).await?;
    }
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
        tokio::try_join!(write(pool, &one, BATCHES[turn]), write(pool, &other, BATCHES[turn]))?;
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
    let timeline = &message["timeline"];
    Ok(Version {
        order: timeline["order"].as_str().context("no order")?.to_owned(),
        number: timeline["version"].as_i64().context("no version")?,
        event: message["event"].to_string(),
        timeline: timeline.to_string(),
        customer: message["customer"].to_string(),
    })
}

async fn write(pool: &PgPool, versions: &[Version], size: usize) -> anyhow::Result<()> {
    for batch in versions.chunks(size) {
        let mut transaction = pool.begin().await?;
        add_events(&mut transaction, batch).await?;
        let newest: BTreeMap<&str, &Version> =
            batch.iter().map(|v| (v.order.as_str(), v)).collect();
        put_states(&mut transaction, &newest).await?;
        add_outbox(&mut transaction, batch).await?;
        transaction.commit().await?;
    }
    Ok(())
}

fn text(batch: &[Version], field: fn(&Version) -> &String) -> Vec<&str> {
    batch.iter().map(|version| field(version).as_str()).collect()
}

async fn add_events(connection: &mut PgConnection, batch: &[Version]) -> anyhow::Result<()> {
    let numbers: Vec<i64> = batch.iter().map(|v| v.number).collect();
    sqlx::query(
        "insert into bare_events (order_id, key, milestone, occurred_at, received_at, event, topic, partition, position, month)
         select o, v::text, 'shipment.in_transit', now(), now(), d::json, 'source.logistics', 1, v, current_date
         from unnest($1::text[], $2::bigint[], $3::text[]) as new (o, v, d)
         on conflict do nothing",
    )
    .bind(text(batch, |v| &v.order))
    .bind(numbers)
    .bind(text(batch, |v| &v.event))
    .execute(connection)
    .await?;
    Ok(())
}

/// The newest state of each order, and the order when it is new.
async fn put_states(
    connection: &mut PgConnection,
    newest: &BTreeMap<&str, &Version>,
) -> anyhow::Result<()> {
    let (orders, states): (Vec<&str>, Vec<&str>) =
        newest.iter().map(|(order, v)| (*order, v.timeline.as_str())).unzip();
    sqlx::query(
        "insert into bare_timelines (order_id, version, status, document, updated_at)
         select o, 1, 'shipment.in_transit', d::json, now() from unnest($1::text[], $2::text[]) as new (o, d)
         on conflict (order_id) do update set document = excluded.document",
    )
    .bind(&orders)
    .bind(&states)
    .execute(&mut *connection)
    .await?;
    let customers: Vec<&str> = newest.values().map(|v| v.customer.as_str()).collect();
    sqlx::query(
        "insert into bare_orders (order_id, customer, customer_at)
         select o, c::jsonb, now() from unnest($1::text[], $2::text[]) as new (o, c)
         on conflict do nothing",
    )
    .bind(&orders)
    .bind(&customers)
    .execute(connection)
    .await?;
    Ok(())
}

async fn add_outbox(connection: &mut PgConnection, batch: &[Version]) -> anyhow::Result<()> {
    let numbers: Vec<i64> = batch.iter().map(|v| v.number).collect();
    sqlx::query(
        "insert into bare_outbox (lane, order_id, version, event, timeline, customer)
         select 0, o, v, e, t, c
         from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[]) as new (o, v, e, t, c)",
    )
    .bind(text(batch, |v| &v.order))
    .bind(numbers)
    .bind(text(batch, |v| &v.event))
    .bind(text(batch, |v| &v.timeline))
    .bind(text(batch, |v| &v.customer))
    .execute(connection)
    .await?;
    Ok(())
}
