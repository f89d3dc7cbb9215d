//! Folds new events into their orders' timelines and stores everything that comes of it.

use crate::draft::Draft;
use crate::fold;
use crate::metric;
use crate::promise::{self, Due};
use crate::silence::{self, SILENCE};
use crate::store::event::NewEvent;
use crate::store::order::Known;
use crate::store::outbox::NewRow;
use crate::store::{due, event, json, outbox, silent, timeline, unmapped};
use chrono::{DateTime, TimeDelta, Utc};
use contract::event::OrderEvent;
use contract::id::OrderId;
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
    events: Vec<NewEvent>,
    timelines: Vec<Timeline>,
    documents: Vec<String>,
    rows: Vec<NewRow>,
    touched: Vec<String>,
    heard_of: Vec<String>,
    due: Vec<(String, &'static str, DateTime<Utc>)>,
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
    due::put(connection, &changes.touched, &changes.due).await
}

/// When an order is to be looked at again, and for what.
#[must_use]
pub fn due_times(
    timeline: &Timeline,
    zone: Option<&str>,
    settings: Settings,
) -> Vec<(String, &'static str, DateTime<Utc>)> {
    let said = Due::ALL.into_iter().filter_map(|due| {
        Some((due.kind(), promise::look_at(timeline, due, zone, settings.derive_grace)?))
    });
    let silent = silence::watch(timeline).map(|watch| (SILENCE, watch.at));
    said.chain(silent).map(|(kind, at)| (timeline.order.to_string(), kind, at)).collect()
}

impl Changes {
    /// Adds an order's new events to its history, one version after the other.
    fn order(
        &mut self,
        order: &OrderId,
        mut history: Vec<OrderEvent>,
        mut drafts: Vec<Draft>,
        known: &Known,
        settings: Settings,
    ) {
        let mut keys: HashSet<String> = history.iter().map(OrderEvent::key).collect();
        let state = |history: &[OrderEvent]| fold::state(order, history, known.version_base);
        // What comes at once becomes versions in the order in which it happened.
        drafts.sort_by_key(|a| (a.time, a.milestone.rank()));
        let mut newest = state(&history);
        let mut changed = false;
        for mut draft in drafts {
            if !keys.insert(draft.key()) {
                self.duplicates += 1;
                continue;
            }
            let origin = draft.origin.take();
            let event = draft.into_event(order.clone());
            if event.source != fold::DERIVED_SOURCE {
                self.heard_of.push(order.to_string());
            }
            history.push(event.clone());
            if fold::counts(&event) {
                let next = state(&history);
                if let Some(next) = &next {
                    let row = NewRow::version(next, &event, newest.as_ref(), &known.customer);
                    self.rows.push(row);
                    changed = true;
                }
                newest = next;
            }
            self.events.push(NewEvent { event, origin });
        }
        if let Some(timeline) = newest.filter(|_| changed) {
            self.keep(timeline, known.customer.time_zone.as_deref(), settings);
        }
    }

    /// The newest state, and when to look at the order again.
    fn keep(&mut self, timeline: Timeline, zone: Option<&str>, settings: Settings) {
        self.due.extend(due_times(&timeline, zone, settings));
        self.touched.push(timeline.order.to_string());
        self.documents.push(json(&timeline));
        self.timelines.push(timeline);
    }
}
