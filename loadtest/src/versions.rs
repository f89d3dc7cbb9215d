//! What was published: every version of every order, none left out.

use anyhow::{Context, ensure};
use devstack::host::term;
use devstack::manifest::ManifestFile;
use serde_json::Value;
use service_kit::config::Kafka;
use service_kit::health::Health;
use service_kit::kafka::{BatchConsumer, Portion};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Reads `order.timeline` from its beginning until nothing comes any more.
pub(crate) async fn published(
    manifest: &ManifestFile,
) -> anyhow::Result<BTreeMap<String, BTreeSet<u64>>> {
    let config = Kafka {
        kafka_brokers: manifest.get().kafka_brokers,
        kafka_instance: "versions".to_owned(),
        kafka_partitions: 6,
        kafka_replication: 1,
    };
    let topic = ["order.timeline".to_owned()];
    let health = Health::default();
    let consumer = BatchConsumer::join(&config, "prove-versions", &topic, &topic, &health).await;
    let portion = Portion { records: 2_000, bytes: 32 << 20, linger: Duration::from_millis(20) };
    let mut versions: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    // The first takes as long as joining does.
    let mut patience = Duration::from_secs(20);
    while let Ok(records) = tokio::time::timeout(patience, consumer.next(portion)).await {
        patience = Duration::from_secs(3);
        for record in records {
            let message: Value = serde_json::from_slice(&record.value)?;
            let order = message["timeline"]["order"].as_str().context("no order")?.to_owned();
            let version = message["timeline"]["version"].as_u64().context("no version")?;
            versions.entry(order).or_default().insert(version);
        }
    }
    Ok(versions)
}

/// Every version from 1 to the stored one was published, of each of these orders.
pub(crate) fn without_a_gap(
    published: &BTreeMap<String, BTreeSet<u64>>,
    newest: &BTreeMap<String, u64>,
) -> anyhow::Result<()> {
    for (order, newest) in newest {
        let there = published.get(order).cloned().unwrap_or_default();
        let missing: Vec<u64> = (1..=*newest).filter(|version| !there.contains(version)).collect();
        ensure!(missing.is_empty(), "{order}: versions {missing:?} of {newest} were not published");
    }
    let count: u64 = newest.values().sum();
    term::line(&format!("  {count} versions of {} orders published, without a gap", newest.len()));
    Ok(())
}
