//! What was published: every version of every order, none left out.

use crate::reader;
use anyhow::{Context, ensure};
use devstack::host::term;
use devstack::manifest::ManifestFile;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Reads `order.timeline` from its beginning until nothing comes any more. Every order's versions
/// come in their order.
pub(crate) async fn published(
    manifest: &ManifestFile,
) -> anyhow::Result<BTreeMap<String, BTreeSet<u64>>> {
    let consumer = reader::timelines(manifest, "versions").await;
    let mut versions: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    // The first takes as long as joining does.
    let mut patience = Duration::from_secs(20);
    while let Ok(records) = tokio::time::timeout(patience, consumer.next()).await {
        patience = Duration::from_secs(3);
        for record in records {
            let message: Value = serde_json::from_slice(&record.value)?;
            let order = message["timeline"]["order"].as_str().context("no order")?.to_owned();
            let version = message["timeline"]["version"].as_u64().context("no version")?;
            let seen = versions.entry(order.clone()).or_default();
            // Again is harmless; ahead of its turn is not.
            let newest = seen.last().copied().unwrap_or(0);
            ensure!(version <= newest + 1, "{order}: version {version} came after {newest}");
            seen.insert(version);
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
