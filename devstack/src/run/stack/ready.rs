//! Waits until our services say that they are ready.

use super::plan;
use crate::host::term::Step;
use crate::manifest::Manifest;
use anyhow::Context;
use std::time::Duration;

/// All of them.
pub(super) async fn all(manifest: &Manifest) -> anyhow::Result<()> {
    let step = Step::quiet("services ready");
    one(&manifest.admin.aggregator).await?;
    others(manifest).await?;
    step.done("");
    Ok(())
}

/// All but the aggregator.
pub(super) async fn others(manifest: &Manifest) -> anyhow::Result<()> {
    one(&manifest.admin.notifier).await?;
    for gateway in &manifest.admin.gateways {
        one(gateway).await?;
    }
    Ok(())
}

/// The one with this admin address.
pub(super) async fn one(admin: &str) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(2)).no_proxy().build()?;
    let url = format!("{admin}/health/ready");
    let mut last = String::new();
    for _ in 0..300 {
        last = match client.get(&url).send().await {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            Ok(answer) => answer.text().await.unwrap_or_default(),
            Err(error) => error.to_string(),
        };
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let answer = client.get(&url).send().await.with_context(|| format!("{url} does not answer"))?;
    let logs = plan::logs();
    anyhow::ensure!(answer.status().is_success(), "{url}: {last}; see {}", logs.display());
    Ok(())
}
