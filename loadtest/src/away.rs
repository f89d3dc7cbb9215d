//! Each of the servers away for a while, in the middle of records.

use crate::histories::{History, histories, shuffled};
use crate::outage::Outage;
use crate::settle;
use anyhow::{Context, ensure};
use devstack::client::Rest;
use devstack::host::term;
use devstack::manifest::ManifestFile;
use devstack::shop::native::Native;
use serde_json::json;
use service_kit::clock;
use service_kit::kafka::{Outgoing, Producer};
use std::time::Duration;
use tokio::time::Instant;

/// A letter that is told while Redis is away comes within this.
const LETTER: Duration = Duration::from_secs(15);

pub(crate) async fn prove(
    manifest: &ManifestFile,
    records: usize,
    seconds: u64,
    servers: &[String],
) -> anyhow::Result<()> {
    let rest = Rest::new(manifest.get())?;
    let (mut all, mut children): (Vec<History>, Vec<_>) = (Vec::new(), Vec::new());
    term::line("");
    for server in servers {
        let lives = histories(&format!("AWAY-{server}"), records);
        let list = shuffled(&lives, 17);
        let (before, after) = list.split_at(list.len() / 2);
        let producer = Producer::new(&manifest.get().kafka_brokers, "prove-away")?;
        write(&producer, before).await?;
        let outage = Outage::begin(manifest, server).await?;
        if server == "redis" {
            letter(&rest, &producer).await?;
        }
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        children.push(outage.end()?);
        let back = Instant::now();
        write(&producer, after).await?;
        settle::timelines(&rest, &lives, Duration::from_mins(2))
            .await
            .with_context(|| server.clone())?;
        let took = back.elapsed().as_secs_f64();
        term::line(&format!(
            "  {server} was away for {seconds} s; all is told {took:.1} s after its return\n"
        ));
        all.extend(lives);
    }
    let result = settle::all(manifest, &rest, &all).await;
    for mut child in children {
        let _ = child.kill().await;
    }
    result
}

/// Redis away delays no letter.
async fn letter(rest: &Rest, producer: &Producer) -> anyhow::Result<()> {
    let (at, order, email) = (clock::now().to_rfc3339(), "AWAY-LETTER", "away@example.com");
    let placed = json!({"event": "order.placed", "order_no": order, "at": at,
        "customer": {"id": "C-AWAY", "email": email}, "items": []});
    let confirmed = json!({"event": "order.confirmed", "order_no": order, "at": at});
    let started = Instant::now();
    for value in [placed, confirmed] {
        producer.send(&[Outgoing::new("source.shop", "", value.to_string())]).await?;
    }
    rest.wait_letter(email, "order.confirmed", Duration::from_mins(1)).await?;
    let took = started.elapsed();
    term::line(&format!("  a letter while Redis is away: after {:.1} s", took.as_secs_f64()));
    ensure!(took < LETTER, "the letter took longer than {LETTER:?}");
    Ok(())
}

/// While Kafka comes back, what it does not take yet is written again.
async fn write(producer: &Producer, records: &[Native]) -> anyhow::Result<()> {
    for chunk in records.chunks(50) {
        let all: Vec<Outgoing> =
            chunk.iter().map(|r| Outgoing::new(r.topic, "", r.body())).collect();
        let end = Instant::now() + Duration::from_mins(1);
        while let Err(error) = producer.send(&all).await {
            ensure!(Instant::now() < end, "Kafka does not come back: {error}");
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
    Ok(())
}
