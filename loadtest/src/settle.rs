//! In the end: every timeline is the fold of its records, and every version was published.

use crate::expected;
use crate::histories::History;
use crate::versions;
use devstack::client::Rest;
use devstack::host::term;
use devstack::manifest::ManifestFile;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Waits for the timelines and compares them.
pub(crate) async fn timelines(
    rest: &Rest,
    histories: &[History],
    patience: Duration,
) -> anyhow::Result<BTreeMap<String, u64>> {
    let mut newest = BTreeMap::new();
    for history in histories {
        let stored = whole(rest, history, patience).await?;
        expected::compare(history, &stored)?;
        newest.insert(history.order.clone(), stored["version"].as_u64().unwrap_or(0));
    }
    term::line(&format!("\n  {} timelines equal the fold of their records", histories.len()));
    Ok(newest)
}

/// The timeline with all that its records tell; what the clock alone made true is a version, too, and none of
/// them.
async fn whole(rest: &Rest, history: &History, patience: Duration) -> anyhow::Result<Value> {
    let (told, mut wanted) = (expected::versions(history)?, 0);
    loop {
        wanted = wanted.max(told);
        let stored = rest.wait_version(&history.order, wanted, patience).await?;
        let next = told + expected::derived(&stored);
        if next <= wanted {
            return Ok(stored);
        }
        wanted = next;
    }
}

/// The same, and nothing was left out on the way to Kafka.
pub(crate) async fn all(
    manifest: &ManifestFile,
    rest: &Rest,
    histories: &[History],
) -> anyhow::Result<()> {
    let newest = timelines(rest, histories, Duration::from_mins(2)).await?;
    versions::without_a_gap(&versions::published(manifest).await?, &newest)
}
