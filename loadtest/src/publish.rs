//! From a record in Kafka to its publication in Redis, at a steady rate.

use crate::percentile::line;
use anyhow::{Context, ensure};
use devstack::client::Rest;
use devstack::host::term;
use devstack::manifest::ManifestFile;
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::json;
use service_kit::clock;
use service_kit::kafka::{Outgoing, Producer};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Orders that the records are spread over.
const ORDERS: usize = 2_000;
/// Rates, in records a second.
const RATES: [u32; 2] = [100, 1_000];

/// What is read of a publication.
#[derive(Deserialize)]
struct Said {
    channel: String,
    version: u64,
}

/// When the versions of an order were written to Kafka.
type Sent = Arc<Mutex<HashMap<String, Vec<(u64, Instant)>>>>;

pub(crate) async fn prove(manifest: &ManifestFile, seconds: u64) -> anyhow::Result<()> {
    let (all, rest) = (manifest.get(), Rest::new(manifest.get())?);
    let producer = Producer::new(&all.kafka_brokers, "prove-publish")?;
    let placed = (0..ORDERS).map(|number| {
        let order = order(number);
        let placed = json!({"event": "order.placed", "order_no": order, "at": clock::now().to_rfc3339(),
            "customer": {"id": format!("C-{order}")}, "items": []});
        Outgoing::new("source.shop", "", placed.to_string())
    });
    producer.send(&placed.collect::<Vec<_>>()).await?;
    rest.wait_version(&order(ORDERS - 1), 1, Duration::from_secs(30)).await?;
    let (sent, times) = (Sent::default(), Arc::new(Mutex::new(Vec::new())));
    let mut listener = JoinSet::new();
    listener.spawn(listen(all.redis_url.clone(), sent.clone(), times.clone()));
    tokio::time::sleep(Duration::from_secs(1)).await;
    term::line("\n  record in Kafka -> published in Redis");
    let mut version = vec![1_u64; ORDERS];
    for rate in RATES {
        let count = usize::try_from(u64::from(rate) * seconds)?;
        load(&producer, &sent, rate, count, &mut version).await?;
        let mut taken = published(&times, count).await;
        term::line(&format!("  {rate:>5}/s  {}", line(&mut taken)));
        if let Some(ended) = listener.try_join_next() {
            ended??;
        }
        ensure!(taken.len() == count, "{} of {count} were published", taken.len());
    }
    if let Some(ended) = listener.try_join_next() {
        ended??;
    }
    Ok(())
}

/// The times of so many publications; of those that there are after a while.
async fn published(times: &Mutex<Vec<f64>>, count: usize) -> Vec<f64> {
    let end = Instant::now() + Duration::from_secs(30);
    let now = || times.lock().unwrap_or_else(PoisonError::into_inner);
    while now().len() < count && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    std::mem::take(&mut *now())
}

fn order(number: usize) -> String {
    format!("PUB-{number}")
}

/// Notes the time of every publication that was waited for.
async fn listen(url: String, sent: Sent, times: Arc<Mutex<Vec<f64>>>) -> anyhow::Result<()> {
    let mut pubsub = redis::Client::open(url)?.get_async_pubsub().await?;
    pubsub.psubscribe("live:*").await?;
    let mut messages = pubsub.on_message();
    while let Some(message) = messages.next().await {
        let at = Instant::now();
        let said: Said = serde_json::from_slice(message.get_payload_bytes())
            .with_context(|| String::from_utf8_lossy(message.get_payload_bytes()).into_owned())?;
        let (order, version) = (said.channel.trim_start_matches("order:").to_owned(), said.version);
        let mut sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(waiting) = sent.get_mut(&order) else { continue };
        // A state is whole: it tells what came before it too.
        let told = waiting.extract_if(.., |(number, _)| *number <= version);
        let mut times = times.lock().unwrap_or_else(PoisonError::into_inner);
        times.extend(told.map(|(_, asked)| at.duration_since(asked).as_secs_f64() * 1000.0));
    }
    Ok(())
}

/// Open loop: the clock says when the next record goes.
async fn load(
    producer: &Producer,
    sent: &Sent,
    rate: u32,
    count: usize,
    version: &mut [u64],
) -> anyhow::Result<()> {
    let (start, mut writes) = (Instant::now(), JoinSet::new());
    for n in 0..count {
        tokio::time::sleep_until(start + Duration::from_secs(1) * u32::try_from(n)? / rate).await;
        let number = n % ORDERS;
        let order = order(number);
        version[number] += 1;
        let value = json!({"id": format!("lg-{order}-{}", version[number]), "carrier": "ghn",
            "tracking_number": format!("T-{order}"), "code": "in_transit", "ts": clock::now().timestamp(),
            "order_ref": order, "location": {"name": "Kho"}});
        let mut open = sent.lock().unwrap_or_else(PoisonError::into_inner);
        open.entry(order).or_default().push((version[number], Instant::now()));
        drop(open);
        let producer = producer.clone();
        writes.spawn(async move {
            let record = Outgoing::new("source.logistics", "", value.to_string());
            producer.send(&[record]).await
        });
    }
    while let Some(written) = writes.join_next().await {
        written??;
    }
    Ok(())
}
