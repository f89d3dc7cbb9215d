//! What has to come out: the fold of the records, and the letters that follow from it.

use crate::histories::History;
use aggregator::draft::Draft;
use aggregator::fold;
use aggregator::reject::Refusal;
use aggregator::source::Catalog;
use anyhow::{Context, ensure};
use contract::event::{Confidence, OrderEvent};
use contract::id::OrderId;
use contract::milestone::Milestone;
use contract::name::SOURCE_PREFIX;
use serde_json::Value;
use service_kit::clock;
use std::collections::HashMap;

/// Milestones that are told by letter, the last of them first.
const BY_LETTER: [Milestone; 5] = [
    Milestone::ShipmentDelivered,
    Milestone::ShipmentHandedOver,
    Milestone::ProductionFinished,
    Milestone::ProductionStarted,
    Milestone::OrderConfirmed,
];

fn events(history: &History) -> anyhow::Result<Vec<OrderEvent>> {
    let order: OrderId = history.order.parse()?;
    let mut all = Vec::new();
    for record in &history.records {
        let drafts = drafts(record.topic, &record.body())?;
        all.extend(drafts.into_iter().map(|draft| draft.into_event(order.clone())));
    }
    Ok(all)
}

/// What comes of a record.
pub(crate) fn drafts(topic: &str, body: &str) -> Result<Vec<Draft>, Refusal> {
    let source = topic.trim_start_matches(SOURCE_PREFIX);
    let (headers, now) = (HashMap::new(), clock::now());
    Catalog::default().read(source, body.as_bytes(), &headers, now, Confidence::Confirmed)
}

/// How many versions the records make.
pub(crate) fn versions(history: &History) -> anyhow::Result<u64> {
    Ok(events(history)?.iter().filter(|event| fold::counts(event)).count() as u64)
}

/// Compares a stored timeline with the fold of its records. What depends on the clock (receipts,
/// what was derived) is taken out of both.
pub(crate) fn compare(history: &History, stored: &Value) -> anyhow::Result<()> {
    let timeline =
        fold::fold(&history.order.parse()?, &events(history)?).context("nothing to fold")?;
    let (mut wanted, mut stored) = (serde_json::to_value(timeline)?, stored.clone());
    plain(&mut wanted);
    plain(&mut stored);
    ensure!(wanted == stored, "{}: stored {stored}\nwanted {wanted}", history.order);
    Ok(())
}

/// How many entries of a timeline the clock alone made true.
pub(crate) fn derived(timeline: &Value) -> u64 {
    let entries = timeline["entries"].as_array().map_or(&[][..], Vec::as_slice);
    entries.iter().filter(|entry| by_the_clock(entry)).count() as u64
}

fn by_the_clock(entry: &Value) -> bool {
    entry["source"] == fold::DERIVED_SOURCE
}

/// Takes out what depends on the clock.
pub(crate) fn plain(timeline: &mut Value) {
    if let Some(entries) = timeline["entries"].as_array_mut() {
        entries.retain(|entry| !by_the_clock(entry));
        for entry in entries {
            entry["received_at"] = Value::Null;
        }
    }
    timeline["version"] = timeline["entries"].as_array().map_or(0, Vec::len).into();
    timeline["updated_at"] = Value::Null;
}

/// The last thing that the customer has to have a letter of.
pub(crate) fn last_letter(history: &History) -> anyhow::Result<Option<Milestone>> {
    let events = events(history)?;
    Ok(BY_LETTER.into_iter().find(|m| events.iter().any(|event| event.milestone == *m)))
}
