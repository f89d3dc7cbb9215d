//! Folds new events into their orders' timelines and stores everything that comes of it.

use crate::draft::Draft;
use crate::fold;
use crate::metric;
use crate::promise::{self, Due};
use crate::store::outbox::{LANES, NewRow};
use crate::store::{due, event, outbox, timeline};
use chrono::TimeDelta;
use contract::customer::Customer;
use contract::event::OrderEvent;
use contract::id::OrderId;
use contract::name::Shard;
use contract::timeline::Timeline;
use sqlx::PgConnection;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What the pipeline is told.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How long an order must have been quiet before something is said by the clock alone.
    pub derive_grace: TimeDelta,
}

/// What came of a batch.
#[derive(Default)]
struct Changes {
    events: Vec<OrderEvent>,
    timelines: Vec<Timeline>,
    documents: Vec<String>,
    rows: Vec<NewRow>,
    touched: Vec<String>,
    due: Vec<(String, &'static str, chrono::DateTime<chrono::Utc>)>,
    duplicates: usize,
}

/// Accepts drafts of known orders whose locks are held. Each new event that counts takes one
/// version, and each version leaves one outbox row.
///
/// # Errors
/// When the database is away or refuses a value.
pub async fn accept(
    connection: &mut PgConnection,
    drafts: BTreeMap<OrderId, Vec<Draft>>,
    customers: &HashMap<String, Customer>,
    settings: Settings,
) -> Result<(), sqlx::Error> {
    let ids: Vec<String> = drafts.keys().map(ToString::to_string).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let mut history = event::load(connection, &ids).await?;
    let mut changes = Changes::default();
    for (order, drafts) in drafts {
        let before = history.remove(order.as_str()).unwrap_or_default();
        if let Some(customer) = customers.get(order.as_str()) {
            changes.order(&order, before, drafts, customer, settings);
        }
    }
    metric::events("accepted", changes.events.len());
    metric::events("duplicate", changes.duplicates);
    if changes.events.is_empty() {
        return Ok(());
    }
    event::add(connection, &changes.events).await?;
    timeline::put(connection, &changes.timelines, &changes.documents).await?;
    outbox::add(connection, &changes.rows).await?;
    due::put(connection, &changes.touched, &changes.due).await
}

/// JSON of a type of ours, which always has one.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

impl Changes {
    /// Adds an order's new events to its history, one version after the other.
    fn order(
        &mut self,
        order: &OrderId,
        mut history: Vec<OrderEvent>,
        mut drafts: Vec<Draft>,
        customer: &Customer,
        settings: Settings,
    ) {
        let mut known: HashSet<String> = history.iter().map(OrderEvent::key).collect();
        // What comes at once becomes versions in the order in which it happened.
        drafts.sort_by_key(|a| (a.time, a.milestone.rank()));
        let mut newest = fold::fold(order, &history);
        let mut changed = false;
        for draft in drafts {
            if !known.insert(draft.key()) {
                self.duplicates += 1;
                continue;
            }
            let event = draft.into_event(order.clone());
            history.push(event.clone());
            if fold::counts(&event) {
                let next = fold::fold(order, &history);
                changed |= self.version(&event, newest.as_ref(), next.as_ref(), customer);
                newest = next;
            }
            self.events.push(event);
        }
        if let Some(timeline) = newest.filter(|_| changed) {
            self.keep(timeline, customer, settings);
        }
    }

    fn version(
        &mut self,
        event: &OrderEvent,
        before: Option<&Timeline>,
        after: Option<&Timeline>,
        customer: &Customer,
    ) -> bool {
        let Some(timeline) = after else { return false };
        let order = timeline.order.to_string();
        let shard = Shard::of(&format!("order:{order}")).number();
        self.rows.push(NewRow {
            lane: i16::try_from(shard).unwrap_or(0) % LANES,
            order,
            version: i64::try_from(timeline.version).unwrap_or(i64::MAX),
            event: json(event),
            timeline: json(timeline),
            previous_status: before.map(|t| t.status.code().to_owned()),
            customer: json(customer),
            traceparent: event.traceparent.clone(),
        });
        true
    }

    /// The newest state, and when to look at the order again.
    fn keep(&mut self, timeline: Timeline, customer: &Customer, settings: Settings) {
        let order = timeline.order.to_string();
        for kind in Due::ALL {
            let zone = customer.time_zone.as_deref();
            if let Some(at) = promise::look_at(&timeline, kind, zone, settings.derive_grace) {
                self.due.push((order.clone(), kind.kind(), at));
            }
        }
        self.touched.push(order);
        self.documents.push(json(&timeline));
        self.timelines.push(timeline);
    }
}
