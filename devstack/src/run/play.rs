//! Plays a history from a file into Kafka.

use crate::host::term;
use crate::manifest::Manifest;
use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;
use service_kit::kafka::{Outgoing, Producer};
use std::path::Path;
use std::time::Duration;

/// One line of a history.
#[derive(Debug, Deserialize)]
struct Line {
    /// Wait before it, in milliseconds.
    #[serde(default)]
    after_ms: u64,
    /// Topic.
    topic: String,
    /// Record key, if it matters.
    #[serde(default)]
    key: String,
    /// The record: an object, or a text that is written as it is.
    value: Value,
}

/// Plays the file (JSON lines).
///
/// # Errors
/// When a line is wrong (its number is named) or Kafka is away.
pub async fn play(file: &Path) -> anyhow::Result<()> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let read: Line =
            serde_json::from_str(line).with_context(|| format!("line {}", number + 1))?;
        lines.push(read);
    }
    let producer = Producer::new(&Manifest::read()?.kafka_brokers, "devstack-play")?;
    for line in &lines {
        tokio::time::sleep(Duration::from_millis(line.after_ms)).await;
        let value = match &line.value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        producer.send(&[Outgoing::new(line.topic.clone(), line.key.as_bytes(), value)]).await?;
    }
    term::line(&format!("played {} records", lines.len()));
    Ok(())
}
