//! Redis gone and back empty: open pages reach the newest state by themselves.

use crate::outage::Outage;
use anyhow::{Context, ensure};
use devstack::client::{LiveClient, Rest};
use devstack::host::term;
use devstack::manifest::ManifestFile;
use futures_util::future::try_join_all;
use serde_json::json;
use service_kit::clock;
use service_kit::kafka::{Outgoing, Producer};
use std::time::Duration;
use tokio::time::Instant;

const PAGES: usize = 40;
/// The newest state is there within this after Redis is back.
const LIMIT: Duration = Duration::from_secs(10);

pub(crate) async fn prove(manifest: &ManifestFile, seconds: u64) -> anyhow::Result<()> {
    let (all, rest) = (manifest.get(), Rest::new(manifest.get())?);
    let producer = Producer::new(&all.kafka_brokers, "prove-redis")?;
    let mut pages = Vec::new();
    for number in 0..PAGES {
        let order = format!("CUT-{number}");
        say(&producer, &order, "order.placed").await?;
        rest.wait_version(&order, 1, LIMIT).await?;
        let token = rest.token(&format!("C-{order}"), &[&order]).await?;
        let mut page = LiveClient::connect(&all.gateways[number % 2], &token).await?;
        page.subscribe(&format!("order:{order}"), None).await?;
        pages.push((order, page));
    }
    let outage = Outage::begin(manifest, "redis").await?;
    term::line(&format!("\n  Redis is killed; {PAGES} pages stay open on two gateways"));
    for (order, _) in &pages {
        say(&producer, order, "order.confirmed").await?;
    }
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    for (order, _) in &pages {
        rest.wait_version(order, 2, LIMIT).await.context("REST while Redis is away")?;
    }
    let mut child = outage.end()?;
    let back = Instant::now();
    term::line(&format!("  Redis is back after {seconds} s, empty"));
    let waits = pages.iter_mut().map(|(order, page)| async move {
        let channel = format!("order:{order}");
        page.wait_version(&channel, 2, LIMIT).await.map(|seen| seen.at.duration_since(back))
    });
    let result = try_join_all(waits).await;
    let _ = child.kill().await;
    let worst = result?.into_iter().max().unwrap_or_default();
    term::line(&format!(
        "  all pages show the newest state, the last one {:.1} s after the return",
        worst.as_secs_f64()
    ));
    ensure!(worst < LIMIT, "a page took longer than {LIMIT:?}");
    Ok(())
}

async fn say(producer: &Producer, order: &str, event: &str) -> anyhow::Result<()> {
    let value = json!({"event": event, "order_no": order, "at": clock::now().to_rfc3339(),
        "customer": {"id": format!("C-{order}")}, "items": []});
    Ok(producer.send(&[Outgoing::new("source.shop", "", value.to_string())]).await?)
}
