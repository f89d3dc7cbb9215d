//! From a record in Kafka to its publication in Redis, at a steady rate.

mod written;
mod load;

use crate::percentile::{at, line};
use anyhow::{Context, ensure};
use devstack::client::Rest;
use devstack::host::term;
use devstack::manifest::ManifestFile;
use futures_util::StreamExt;
use load::Writer;
use serde::Deserialize;
use serde_json::json;
use service_kit::clock;
use service_kit::kafka::{Outgoing, Producer};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;
use written::{Writings, now};

/// Orders that the records are spread over.
const ORDERS: usize = 2_000;
/// Rates, in records a second.
const RATES: [u32; 2] = [100, 1_000];
/// Seconds of each rate that are not counted.
const WARM: u64 = 10;
/// The goal at the highest rate, in milliseconds: p99.
const GOAL: f64 = 60.0;

/// What is read of a publication.
#[derive(Deserialize)]
struct Said {
    channel: String,
    version: u64,
}

pub(crate) async fn prove(manifest: &ManifestFile, seconds: u64) -> anyhow::Result<()> {
    let all = manifest.get();
    place(&all.kafka_brokers, &Rest::new(manifest.get())?).await?;
    let (writings, mut writer) = (Writings::default(), Writer::new(&all.kafka_brokers).await?);
    let mut listener = JoinSet::new();
    listener.spawn(listen(all.redis_url.clone(), writings.clone()));
    tokio::time::sleep(Duration::from_secs(1)).await;
    term::line("\n  record in Kafka -> published in Redis");
    let mut most = f64::NAN;
    for rate in RATES {
        warm(&mut writer, &writings, rate).await?;
        let count = usize::try_from(u64::from(rate) * seconds)?;
        writer.write(&writings, rate, count).await?;
        wait(&writings).await;
        if let Some(ended) = listener.try_join_next() {
            ended??;
        }
        let (mut in_kafka, mut asked) = writings.take();
        ensure!(in_kafka.len() == count, "{} of {count} were published", in_kafka.len());
        term::line(&format!("  {rate:>5}/s  since Kafka has it     {}", line(&mut in_kafka)));
        term::line(&format!("           since it was handed in  {}", line(&mut asked)));
        most = at(&in_kafka, 990);
    }
    ensure!(most < GOAL, "p99 of {most:.1} ms: {GOAL} were the goal");
    Ok(())
}

/// Places the orders that the records are of.
async fn place(brokers: &str, rest: &Rest) -> anyhow::Result<()> {
    let placed = (0..ORDERS).map(|number| {
        let order = order(number);
        let placed = json!({"event": "order.placed", "order_no": order, "at": clock::now().to_rfc3339(),
            "customer": {"id": format!("C-{order}")}, "items": []});
        Outgoing::new("source.shop", "", placed.to_string())
    });
    let placed: Vec<Outgoing> = placed.collect();
    Producer::new(brokers, "prove-publish")?.send(&placed).await?;
    rest.wait_version(&order(ORDERS - 1), 1, Duration::from_secs(30)).await?;
    Ok(())
}

/// A broker that was started a moment ago still compiles what it does often: the first seconds of a rate are
/// not counted.
async fn warm(writer: &mut Writer, writings: &Writings, rate: u32) -> anyhow::Result<()> {
    writer.write(writings, rate, usize::try_from(u64::from(rate) * WARM)?).await?;
    wait(writings).await;
    writings.take();
    Ok(())
}

/// Waits until everything is published; not for ever.
async fn wait(writings: &Writings) {
    let end = Instant::now() + Duration::from_secs(30);
    while !writings.are_published() && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn order(number: usize) -> String {
    format!("PUB-{number}")
}

/// Notes the time of every publication.
async fn listen(url: String, writings: Writings) -> anyhow::Result<()> {
    let mut pubsub = redis::Client::open(url)?.get_async_pubsub().await?;
    pubsub.psubscribe("live:*").await?;
    let mut messages = pubsub.on_message();
    while let Some(message) = messages.next().await {
        let at = now();
        let said: Said = serde_json::from_slice(message.get_payload_bytes())
            .with_context(|| String::from_utf8_lossy(message.get_payload_bytes()).into_owned())?;
        writings.published(said.channel.trim_start_matches("order:"), said.version, at);
    }
    Ok(())
}
