//! Rows that both sides have, events that slipped through, events that waited too long.

use super::{PORTION, TURNS};
use crate::draft::{Draft, OrderRef};
use crate::metric;
use crate::pipeline::{self, Pipeline};
use crate::reject::Refusal;
use crate::store::dead_letter::{self, DeadLetter};
use crate::store::{json, outbox, parked};
use chrono::TimeDelta;
use service_kit::clock;
use std::collections::HashMap;

/// What waits for less than this is not looked at: most of it is about to be called for.
const SLIPPED_AFTER: TimeDelta = TimeDelta::seconds(10);

pub(super) async fn run(pipeline: &Pipeline, park_limit: TimeDelta) -> Result<(), sqlx::Error> {
    outbox::clear(&pipeline.pool).await?;
    let mut transaction = pipeline.pool.begin().await?;
    let before = clock::now() - park_limit;
    for draft in parked::take_expired(&mut transaction, before, PORTION).await? {
        metric::refused(&draft.source, Refusal::NeverKnown.label());
        dead_letter::put(&mut transaction, &never_known(&draft)).await?;
    }
    transaction.commit().await
}

/// Drives a portion of what slipped through; tells whether there may be more. This looks at everything
/// that waits, which may be much.
pub(super) async fn slipped(pipeline: &Pipeline) -> Result<bool, sqlx::Error> {
    let mut transaction = pipeline.pool.begin().await?;
    let before = clock::now() - SLIPPED_AFTER;
    let slipped = parked::take_slipped(&mut transaction, before, PORTION).await?;
    let (count, drafts) = (slipped.len(), slipped.iter().collect::<Vec<_>>());
    metric::events("unparked", count);
    pipeline::redrive(&mut transaction, &drafts, &pipeline.settings).await?;
    transaction.commit().await?;
    pipeline.committed.notify_waiters();
    Ok(i64::try_from(count).unwrap_or(i64::MAX) >= PORTION)
}

/// Drives what a carrier said under a reference of its own before the order of its parcel was placed. (Whoever tells
/// of the parcel after the carrier takes up what waits by himself.) What is not another order's waits on, as long as
/// before.
pub(super) async fn ghosts(pipeline: &Pipeline) -> Result<(), sqlx::Error> {
    let (mut after, before) = (String::new(), clock::now() - SLIPPED_AFTER);
    for _ in 0..TURNS {
        // Whoever has much to read has not heard yet whose parcels they are.
        if !pipeline.calm.is_there() {
            break;
        }
        let mut transaction = pipeline.pool.begin().await?;
        let waiting = parked::of_ghosts(&mut transaction, before, &after, PORTION).await?;
        let Some((last, _)) = waiting.last() else { break };
        after.clone_from(last);
        let mut found = pipeline::of_others(&mut transaction, waiting).await?;
        let keys: Vec<String> = found.iter().map(|(key, _)| key.clone()).collect();
        let taken = parked::take_keys(&mut transaction, &keys).await?;
        found.retain(|(key, _)| taken.contains(key));
        metric::events("unparked", found.len());
        let drafts: Vec<_> = found.iter().map(|(_, draft)| draft).collect();
        pipeline::redrive(&mut transaction, &drafts, &pipeline.settings).await?;
        transaction.commit().await?;
        pipeline.committed.notify_waiters();
    }
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
        topic: format!("parked:{}", parked::key(draft)),
        partition: 0,
        position: 0,
        order_id,
        value: json(draft).into_bytes(),
        headers: HashMap::new(),
        received_at: draft.received_at,
    }
}
