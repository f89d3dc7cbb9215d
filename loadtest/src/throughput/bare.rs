//! The limit: a program that is given the very rows that the aggregator wrote, and writes them to
//! tables like the aggregator's, over two connections, in large batches, deciding nothing.

use anyhow::Context;
use devstack::manifest::ManifestFile;
use serde_json::Value;
use service_kit::config::Kafka;
use service_kit::health::Health;
use service_kit::kafka::{BatchConsumer, Portion};
use sqlx::PgPool;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Rows in one transaction.
const BATCH: usize = 2_000;
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

/// Rows per second.
pub(super) async fn rate(
    manifest: &ManifestFile,
    pool: &PgPool,
    most: usize,
) -> anyhow::Result<f64> {
    for statement in [
        "create table bare_events (like events including all)",
        "create table bare_timelines (like timelines including all)",
        "create table bare_outbox (like outbox including all)",
    ] {
        sqlx::query(statement).execute(pool).await?;
    }
    let config = Kafka {
        kafka_brokers: manifest.get().kafka_brokers,
        kafka_instance: "bare".to_owned(),
        kafka_partitions: 6,
        kafka_replication: 1,
    };
    let topic = ["order.timeline".to_owned()];
    let consumer = BatchConsumer::join(&config, "bare", &topic, &topic, &Health::default()).await;
    let (mut rows, mut seconds) = (0_usize, 0.0);
    while rows < most {
        let versions = read(&consumer).await?;
        if versions.is_empty() {
            break;
        }
        rows += versions.len();
        let started = Instant::now();
        let half = versions.len() / 2;
        tokio::try_join!(write(pool, &versions[..half]), write(pool, &versions[half..]))?;
        seconds += started.elapsed().as_secs_f64();
    }
    Ok(f64::from(u32::try_from(rows)?) / seconds)
}

/// So many versions, or what is left; an order's versions stand together.
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
    versions.sort_by(|a, b| (&a.order, a.number).cmp(&(&b.order, b.number)));
    // What was published again after a lease changed hands.
    versions.dedup_by(|a, b| (&a.order, a.number) == (&b.order, b.number));
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

async fn write(pool: &PgPool, versions: &[Version]) -> anyhow::Result<()> {
    for batch in versions.chunks(BATCH) {
        let mut transaction = pool.begin().await?;
        let text = |field: fn(&Version) -> &String| {
            batch.iter().map(|v| field(v).clone()).collect::<Vec<_>>()
        };
        let (orders, events) = (text(|v| &v.order), text(|v| &v.event));
        let numbers: Vec<i64> = batch.iter().map(|v| v.number).collect();
        let newest: BTreeMap<&str, &Version> =
            batch.iter().map(|v| (v.order.as_str(), v)).collect();
        sqlx::query(
            "insert into bare_events (order_id, key, milestone, occurred_at, received_at, event, month)
             select o, v::text, 'x', now(), now(), d::jsonb, current_date
             from unnest($1::text[], $2::bigint[], $3::text[]) as new (o, v, d)
             on conflict do nothing",
        )
        .bind(&orders)
        .bind(&numbers)
        .bind(&events)
        .execute(&mut *transaction)
        .await?;
        let (ids, states): (Vec<&str>, Vec<&str>) =
            newest.iter().map(|(order, v)| (*order, v.timeline.as_str())).unzip();
        sqlx::query(
            "insert into bare_timelines (order_id, version, status, document, updated_at)
             select o, 1, 'x', d::jsonb, now() from unnest($1::text[], $2::text[]) as new (o, d)
             on conflict (order_id) do update set document = excluded.document",
        )
        .bind(&ids)
        .bind(&states)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "insert into bare_outbox (lane, order_id, version, event, timeline, customer)
             select 0, o, v, e, t, c
             from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[]) as new (o, v, e, t, c)",
        )
        .bind(&orders)
        .bind(&numbers)
        .bind(&events)
        .bind(text(|v| &v.timeline))
        .bind(text(|v| &v.customer))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
    }
    Ok(())
}
