//! From a record in Kafka to a frame on an open page, at a steady rate.

use crate::percentile::line;
use anyhow::{Context, ensure};
use devstack::client::{LiveClient, Rest, Seen};
use devstack::host::term;
use devstack::manifest::ManifestFile;
use serde_json::json;
use service_kit::clock;
use service_kit::kafka::{Outgoing, Producer};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// When the version of an order was asked for, by order and version.
type Sent = Arc<Mutex<HashMap<(usize, u64), Instant>>>;
/// Latencies of all frames, in milliseconds.
type Times = Arc<Mutex<Vec<f64>>>;

pub(crate) async fn prove(
    manifest: &ManifestFile,
    rate: u32,
    viewers: usize,
    seconds: u64,
) -> anyhow::Result<()> {
    let (all, rest) = (manifest.get(), Rest::new(manifest.get())?);
    let producer = Producer::new(&all.kafka_brokers, "prove-latency")?;
    let (sent, times, mut watching) = (Sent::default(), Times::default(), JoinSet::new());
    for number in 0..viewers {
        let order = format!("LOAD-{number}");
        let placed = json!({"event": "order.placed", "order_no": order, "at": clock::now().to_rfc3339(),
            "customer": {"id": format!("C-{order}")}, "items": []});
        producer.send(&[Outgoing::new("source.shop", "", placed.to_string())]).await?;
        rest.wait_version(&order, 1, Duration::from_secs(20)).await?;
        let token = rest.token(&format!("C-{order}"), &[&order]).await?;
        let mut page = LiveClient::connect(&all.gateways[number % 2], &token).await?;
        page.subscribe(&format!("order:{order}"), None).await?;
        watching.spawn(watch(page, number, sent.clone(), times.clone()));
    }
    let count = u64::from(rate) * seconds;
    term::line(&format!(
        "\n  {count} records at {rate}/s for {seconds} s, {viewers} open pages on two gateways"
    ));
    load(&producer, &sent, rate, viewers, count).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    watching.abort_all();
    let mut times = std::mem::take(&mut *times.lock().unwrap_or_else(PoisonError::into_inner));
    let lost = usize::try_from(count).unwrap_or(0).saturating_sub(times.len());
    report(&mut times, lost)?;
    memory(manifest)
}

async fn watch(mut page: LiveClient, number: usize, sent: Sent, times: Times) {
    while let Some(seen) = page.next().await {
        note(&seen, number, &sent, &times);
    }
}

fn note(seen: &Seen, number: usize, sent: &Sent, times: &Times) {
    let asked =
        sent.lock().unwrap_or_else(PoisonError::into_inner).remove(&(number, seen.version()));
    if let Some(asked) = asked {
        let ms = seen.at.duration_since(asked).as_secs_f64() * 1000.0;
        times.lock().unwrap_or_else(PoisonError::into_inner).push(ms);
    }
}

/// Open loop: the clock says when the next record goes, whatever became of the last.
async fn load(
    producer: &Producer,
    sent: &Sent,
    rate: u32,
    viewers: usize,
    count: u64,
) -> anyhow::Result<()> {
    let start = Instant::now();
    for n in 0..count {
        tokio::time::sleep_until(start + Duration::from_secs(1) * u32::try_from(n)? / rate).await;
        let number = usize::try_from(n).unwrap_or(0) % viewers;
        let version = 2 + n / viewers as u64;
        let order = format!("LOAD-{number}");
        let value = json!({"id": format!("lg-{order}-{version}"), "carrier": "ghn", "tracking_number": format!("T-{order}"),
            "code": "in_transit", "ts": clock::now().timestamp(), "order_ref": order, "location": {"name": "Kho"}});
        let record = Outgoing::new("source.logistics", "", value.to_string());
        sent.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert((number, version), Instant::now());
        producer.send(&[record]).await?;
    }
    Ok(())
}

fn report(times: &mut [f64], lost: usize) -> anyhow::Result<()> {
    term::line(&format!("  Kafka -> frame: {}, {lost} lost", line(times)));
    ensure!(lost == 0, "{lost} frames did not come");
    Ok(())
}

/// Resident memory of each process of ours.
fn memory(manifest: &ManifestFile) -> anyhow::Result<()> {
    for (service, pids) in manifest.get().pids {
        for pid in pids {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
            let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).context("no VmRSS")?;
            let kb: f64 = line.trim().trim_end_matches(" kB").trim().parse()?;
            term::line(&format!("  {service:<18} {:>6.1} MB", kb / 1024.0));
        }
    }
    Ok(())
}
