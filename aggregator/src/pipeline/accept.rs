//! Folds new events into their orders' timelines and stores everything that comes of it.

use super::agenda::{Settings, asks, due_times};
use super::recall::recall;
use super::recent::{History, Recent};
use crate::draft::Draft;
use crate::fold;
use crate::metric;
use crate::question::Want;
use crate::store::event::NewEvent;
use crate::store::order::Known;
use crate::store::outbox::{NewRow, Row};
use crate::store::{ask, due, event, json, outbox, silent, timeline, unmapped};
use chrono::{DateTime, Utc};
use contract::id::OrderId;
use contract::milestone::Kind;
use contract::timeline::Timeline;
use sqlx::PgConnection;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What came of a batch.
#[derive(Default)]
struct Changes {
    events: Vec<NewEvent>,
    timelines: Vec<Timeline>,
    rows: Vec<NewRow>,
    /// Where among the rows those of the timelines are.
    newest: Vec<usize>,
    touched: Vec<String>,
    heard_of: Vec<String>,
    due: Vec<(String, &'static str, DateTime<Utc>)>,
    asks: Vec<(String, Want, DateTime<Utc>)>,
    histories: Vec<(OrderId, History)>,
    duplicates: usize,
}

/// What is true once the transaction is committed.
#[derive(Default)]
pub struct Accepted {
    /// What is to be published.
    pub rows: Vec<Row>,
    histories: Vec<(OrderId, History)>,
}

impl Accepted {
    /// After the commit: the next event of these orders finds their histories here.
    pub fn remember(self, recent: &Recent) {
        for (order, history) in self.histories {
            recent.put(order, history);
        }
    }
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
) -> Result<Accepted, sqlx::Error> {
    if drafts.is_empty() {
        return Ok(Accepted::default());
    }
    let mut histories = recall(connection, drafts.keys(), known, &settings.recent).await?;
    let count = drafts.values().map(Vec::len).sum();
    let mut changes = Changes {
        events: Vec::with_capacity(count),
        rows: Vec::with_capacity(count),
        ..Changes::default()
    };
    for (order, drafts) in drafts {
        if let Some(known) = known.get(order.as_str()) {
            let history = histories.remove(&order).unwrap_or_default();
            changes.order(order, history, drafts, known, settings);
        }
    }
    metric::events("accepted", changes.events.len());
    metric::events("duplicate", changes.duplicates);
    changes.store(connection, settings).await
}

impl Changes {
    /// Adds an order's new events to its history, one version after the other.
    fn order(
        &mut self,
        order: OrderId,
        mut history: History,
        mut drafts: Vec<Draft>,
        known: &Known,
        settings: &Settings,
    ) {
        // What comes at once becomes versions in the order in which it happened.
        drafts.sort_by_key(|a| (a.time, a.milestone.rank()));
        let (mut newest, mut heard_of, customer) = (None, false, json(&known.customer));
        for mut draft in drafts {
            if history.has(&draft.key()) {
                self.duplicates += 1;
                continue;
            }
            let origin = draft.origin.take();
            let event = Arc::new(draft.into_event(order.clone()));
            let text = json(&*event);
            let is_step = fold::counts(&event) && event.milestone.kind() != Kind::Side;
            heard_of |= event.source != fold::DERIVED_SOURCE && is_step;
            let before = history.status();
            if let Some(state) = history.add(&order, event.clone(), known.version_base) {
                self.rows.push(NewRow::version(&state, &event, &text, before, &customer));
                newest = Some(state);
            }
            self.events.push(NewEvent { event, text, month: known.month, origin });
        }
        if heard_of {
            self.heard_of.push(order.to_string());
        }
        if let Some(timeline) = newest {
            self.keep(timeline, known, settings);
        }
        self.histories.push((order, history));
    }

    /// The newest state, and when to look at the order again.
    fn keep(&mut self, timeline: Timeline, known: &Known, settings: &Settings) {
        self.asks.extend(asks(&timeline, settings));
        self.due.extend(due_times(&timeline, known, settings));
        self.touched.push(timeline.order.to_string());
        // The last row is of this very state.
        self.newest.push(self.rows.len() - 1);
        self.timelines.push(timeline);
    }

    /// Writes everything down.
    async fn store(
        self,
        connection: &mut PgConnection,
        settings: &Settings,
    ) -> Result<Accepted, sqlx::Error> {
        if self.events.is_empty() {
            return Ok(Accepted { rows: Vec::new(), histories: self.histories });
        }
        event::add(connection, &self.events).await?;
        let states = self.newest.iter().map(|place| self.rows[*place].state());
        timeline::put(connection, &self.timelines, states.collect()).await?;
        let rows = outbox::add(connection, self.rows).await?;
        silent::heard_of(connection, &self.heard_of).await?;
        if !settings.questions.is_empty() {
            ask::put(connection, &self.touched, &self.asks).await?;
        }
        due::put(connection, &self.touched, &self.due).await?;
        // Last: batches that count the same codes wait for each other from here on.
        unmapped::note(connection, &self.events).await?;
        Ok(Accepted { rows, histories: self.histories })
    }
}
