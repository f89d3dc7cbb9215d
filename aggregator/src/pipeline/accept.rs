//! Folds new events into their orders' timelines and stores everything that comes of it.

use super::agenda::{Settings, asks, due_times};
use crate::draft::Draft;
use crate::fold;
use crate::metric;
use crate::question::Want;
use crate::store::event::NewEvent;
use crate::store::order::Known;
use crate::store::outbox::NewRow;
use crate::store::{ask, due, event, json, outbox, silent, timeline, unmapped};
use chrono::{DateTime, Utc};
use contract::event::OrderEvent;
use contract::id::OrderId;
use contract::timeline::Timeline;
use sqlx::PgConnection;
use std::collections::{BTreeMap, HashMap, HashSet};

/// What came of a batch.
#[derive(Default)]
struct Changes {
    events: Vec<NewEvent>,
    timelines: Vec<Timeline>,
    documents: Vec<String>,
    rows: Vec<NewRow>,
    touched: Vec<String>,
    heard_of: Vec<String>,
    due: Vec<(String, &'static str, DateTime<Utc>)>,
    asks: Vec<(String, Want, DateTime<Utc>)>,
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
    known: &HashMap<String, Known>,
    settings: &Settings,
) -> Result<(), sqlx::Error> {
    if drafts.is_empty() {
        return Ok(());
    }
    let mut history = event::load(connection, known).await?;
    let mut changes = Changes::default();
    for (order, drafts) in drafts {
        let before = history.remove(order.as_str()).unwrap_or_default();
        if let Some(known) = known.get(order.as_str()) {
            changes.order(&order, before, drafts, known, settings);
        }
    }
    metric::events("accepted", changes.events.len());
    metric::events("duplicate", changes.duplicates);
    if changes.events.is_empty() {
        return Ok(());
    }
    unmapped::note(connection, &changes.events).await?;
    event::add(connection, &changes.events).await?;
    timeline::put(connection, &changes.timelines, &changes.documents).await?;
    outbox::add(connection, &changes.rows).await?;
    silent::heard_of(connection, &changes.heard_of).await?;
    if !settings.questions.is_empty() {
        ask::put(connection, &changes.touched, &changes.asks).await?;
    }
    due::put(connection, &changes.touched, &changes.due).await
}

impl Changes {
    /// Adds an order's new events to its history, one version after the other.
    fn order(
        &mut self,
        order: &OrderId,
        mut history: Vec<OrderEvent>,
        mut drafts: Vec<Draft>,
        known: &Known,
        settings: &Settings,
    ) {
        let mut keys: HashSet<String> = history.iter().map(OrderEvent::key).collect();
        let state = |history: &[OrderEvent]| fold::state(order, history, known.version_base);
        // What comes at once becomes versions in the order in which it happened.
        drafts.sort_by_key(|a| (a.time, a.milestone.rank()));
        let mut newest = state(&history);
        let (mut changed, customer) = (false, json(&known.customer));
        for mut draft in drafts {
            if !keys.insert(draft.key()) {
                self.duplicates += 1;
                continue;
            }
            let origin = draft.origin.take();
            let event = draft.into_event(order.clone());
            if event.source != fold::DERIVED_SOURCE && fold::counts(&event) {
                self.heard_of.push(order.to_string());
            }
            history.push(event.clone());
            if fold::counts(&event) {
                let next = state(&history);
                if let Some(next) = &next {
                    let row = NewRow::version(next, &event, newest.as_ref(), &customer);
                    self.rows.push(row);
                    changed = true;
                }
                newest = next;
            }
            self.events.push(NewEvent { event, month: known.month, origin });
        }
        if let Some(timeline) = newest.filter(|_| changed) {
            self.keep(timeline, known, settings);
        }
    }

    /// The newest state, and when to look at the order again.
    fn keep(&mut self, timeline: Timeline, known: &Known, settings: &Settings) {
        self.asks.extend(asks(&timeline, settings));
        self.due.extend(due_times(&timeline, known, settings));
        self.touched.push(timeline.order.to_string());
        // The last row is of this very state.
        self.documents.push(self.rows.last().map_or_else(|| json(&timeline), NewRow::state));
        self.timelines.push(timeline);
    }
}
