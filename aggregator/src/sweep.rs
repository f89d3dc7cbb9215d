//! What the clock alone makes true, and what slipped through: through the same pipeline.

use crate::draft::{Draft, OrderRef};
use crate::fold::{DERIVED_SOURCE, fold};
use crate::metric;
use crate::pipeline::{self, Pipeline};
use crate::promise::{self, Due};
use crate::reject::Refusal;
use crate::silence::{self, SILENCE};
use crate::store::dead_letter::{self, DeadLetter};
use crate::store::{due, event, lock, order, outbox, parked, silent};
use chrono::{DateTime, TimeDelta, Utc};
use contract::id::OrderId;
use contract::timeline::Timeline;
use service_kit::clock;
use service_kit::lifecycle::Lifecycle;
use service_kit::trace::TraceContext;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// How much is taken at a time.
const PORTION: i64 = 200;

/// Runs until the soft stop.
pub fn start(life: &Lifecycle, pipeline: Pipeline, park_limit: TimeDelta) {
    let soft = life.soft().clone();
    life.spawn("sweep", async move {
        let mut tick = tokio::time::interval(Duration::from_millis(250));
        let mut round = 0_u32;
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = soft.cancelled() => return,
            }
            let result = match round % 40 {
                0 => housekeeping(&pipeline, park_limit).await,
                _ => say_due(&pipeline).await,
            };
            if let Err(error) = result {
                tracing::warn!(%error, "the sweep is tried again");
            }
            round = round.wrapping_add(1);
        }
    });
}

/// Says (or takes back) what is due, each once: the claim and what comes of it are one
/// transaction, and the order's lock is held while it is decided.
async fn say_due(pipeline: &Pipeline) -> Result<(), sqlx::Error> {
    let mut transaction = pipeline.pool.begin().await?;
    let mut ids = due::candidates(&mut transaction, clock::now(), PORTION).await?;
    if ids.is_empty() {
        return Ok(());
    }
    ids.sort_unstable();
    ids.dedup();
    lock::take(&mut transaction, "order", ids.iter().map(String::as_str)).await?;
    let claimed = due::claim(&mut transaction, clock::now(), &ids).await?;
    let known = order::known(&mut transaction, &ids).await?;
    let events = event::load(&mut transaction, &ids).await?;
    let mut drafts: BTreeMap<OrderId, Vec<Draft>> = BTreeMap::new();
    for (id, kind) in claimed {
        let Ok(order) = id.parse::<OrderId>() else { continue };
        let history = events.get(&id).map(Vec::as_slice).unwrap_or_default();
        let Some(timeline) = fold(&order, history) else { continue };
        if kind == SILENCE {
            match silence::watch(&timeline) {
                Some(watch) if watch.at <= clock::now() => {
                    silent::note(&mut transaction, &id, watch).await?;
                }
                // A stage was given more patience meanwhile.
                Some(watch) => due::again(&mut transaction, &id, SILENCE, watch.at).await?,
                None => {}
            }
        } else if let Some(due) = Due::from_kind(&kind) {
            let zone = known.get(&id).and_then(|known| known.customer.time_zone.as_deref());
            let derived = derive(&timeline, due, zone, clock::now());
            drafts.entry(order).or_default().extend(derived);
        }
    }
    pipeline::accept(&mut transaction, drafts, &known, pipeline.settings).await?;
    transaction.commit().await?;
    pipeline.committed.notify_waiters();
    Ok(())
}

/// The event that is due, if it still is.
fn derive(timeline: &Timeline, due: Due, zone: Option<&str>, now: DateTime<Utc>) -> Option<Draft> {
    let code = due.milestone().code();
    let from = promise::true_from(timeline, due, zone);
    let said = promise::said(timeline, due);
    let number = timeline.version;
    let reported = promise::reported(timeline).filter(|_| due == Due::Reported);
    let shipment = reported.and_then(|entry| entry.shipment.clone());
    let over = timeline.eta.as_ref().is_some_and(|eta| eta.range.latest <= now);
    let (id, corrects) = match (from, said) {
        // After a day of standing still, what is no longer true is not said.
        (Some(_), None) if due == Due::Tomorrow && over => return None,
        (Some(from), None) if from <= now => (format!("{code}:{number}"), None),
        (None, Some(said)) if due == Due::Delay && !timeline.terminal => {
            let said = said.strip_prefix(DERIVED_SOURCE)?.strip_prefix(':')?.to_owned();
            (format!("{said}:withdrawn"), Some(said))
        }
        _ => return None,
    };
    let order = OrderRef::Order(timeline.order.clone());
    let mut draft = Draft::new(DERIVED_SOURCE, id, due.milestone(), now, order);
    draft.data.corrects = corrects;
    draft.data.shipment = shipment;
    draft.data.eta = timeline.eta.as_ref().map(|eta| eta.range);
    draft.data.confidence = contract::event::Confidence::Predicted;
    draft.traceparent = TraceContext::start().to_string();
    Some(draft)
}

/// Every 10 s: rows that both sides have, events that slipped through, events that waited too
/// long.
async fn housekeeping(pipeline: &Pipeline, park_limit: TimeDelta) -> Result<(), sqlx::Error> {
    outbox::clear(&pipeline.pool).await?;
    let mut transaction = pipeline.pool.begin().await?;
    let slipped = parked::take_slipped(&mut transaction, PORTION).await?;
    metric::events("unparked", slipped.len());
    pipeline::redrive(&mut transaction, slipped, pipeline.settings).await?;
    for draft in parked::take_expired(&mut transaction, clock::now() - park_limit, PORTION).await? {
        metric::refused(&draft.source, Refusal::NeverKnown.label());
        dead_letter::put(&mut transaction, &never_known(&draft)).await?;
    }
    transaction.commit().await?;
    pipeline.committed.notify_waiters();
    Ok(())
}

/// The dead letter of an event whose order nobody ever heard of. The record is long gone from
/// Kafka; the draft stands in for it, under a place of its own.
fn never_known(draft: &Draft) -> DeadLetter {
    let order_id = match &draft.order {
        OrderRef::Order(order) => Some(order.to_string()),
        OrderRef::Alias(_) => None,
    };
    DeadLetter {
        source: draft.source.clone(),
        reason: Refusal::NeverKnown.label().to_owned(),
        detail: Refusal::NeverKnown.to_string(),
        topic: format!("parked:{}", draft.key()),
        partition: 0,
        position: 0,
        order_id,
        value: serde_json::to_vec(draft).unwrap_or_default(),
        headers: HashMap::new(),
        received_at: draft.received_at,
    }
}
