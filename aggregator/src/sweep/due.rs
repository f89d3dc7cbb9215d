//! Says (or takes back) what is due, each once: the claim and what comes of it are one
//! transaction, and the order's lock is held while it is decided.

use super::ORDERS;
use super::derive::{derive, warn_of_silence};
use super::estimate::{Case, Taught, estimate};
use crate::draft::{DERIVED_SOURCE, Draft, OrderRef};
use crate::fold::fold;
use crate::pipeline::{self, Calm, ESTIMATE, LEARN, Pipeline};
use crate::promise::{self, Due};
use crate::question;
use crate::silence::{self, SILENCE, Watch};
use crate::store::order::Known;
use crate::store::{backlog, due, event, lock, order, silent};
use chrono::{DateTime, TimeDelta, Utc};
use contract::event::OrderEvent;
use contract::id::OrderId;
use contract::timeline::Timeline;
use service_kit::clock;
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// So many times as many orders as are taken are looked at: others may have locked the first of them.
const LOOKED_AT: i64 = 8;

/// Takes some orders that nobody else works on; tells whether there may be more.
pub(super) async fn say(pipeline: &Pipeline) -> Result<bool, sqlx::Error> {
    let mut transaction = pipeline.pool.begin().await?;
    let now = clock::now();
    if !backlog::is_over(&mut transaction, Calm::AFTER).await? {
        return Ok(false);
    }
    let there = due::candidates(&mut transaction, now, ORDERS * LOOKED_AT).await?;
    let ids = lock::take_free(&mut transaction, "order", &there, ORDERS).await?;
    if ids.is_empty() {
        return Ok(false);
    }
    let full = i64::try_from(ids.len()) == Ok(ORDERS);
    let claimed = due::claim(&mut transaction, now, &ids).await?;
    let mut known = order::known(&mut transaction, &ids).await?;
    let events = event::load(&mut transaction, &known).await?;
    let mut turn = Turn { now, ..Turn::default() };
    for (id, kind) in claimed {
        let history = events.get(&id).map(Vec::as_slice).unwrap_or_default();
        turn.look(pipeline, &id, &kind, history, known.get(&id));
    }
    for (id, known) in &mut known {
        known.learned |= turn.taught.by(id);
    }
    let drafts = turn.settle(&mut transaction, pipeline).await?;
    pipeline::accept(&mut transaction, drafts, &known, &pipeline.settings).await?;
    transaction.commit().await?;
    pipeline.committed.notify_waiters();
    Ok(full)
}

/// Notes how often the same was said and withdrawn before.
fn counted(mut draft: Draft, history: &[OrderEvent]) -> Draft {
    let withdrawals = history.iter().filter(|event| {
        event.source == DERIVED_SOURCE
            && event.milestone == draft.milestone
            && event.data.corrects.is_some()
    });
    draft.data.withdrawn_before =
        u16::try_from(withdrawals.count()).ok().filter(|count| *count > 0);
    draft
}

/// What comes of the orders that are due.
#[derive(Default)]
struct Turn {
    now: DateTime<Utc>,
    drafts: Vec<Draft>,
    silent: Vec<(String, Watch)>,
    later: Vec<(String, &'static str, DateTime<Utc>)>,
    open: Vec<Case>,
    taught: Taught,
}

/// A source that is asked and does not answer is believed in the end.
const UNANSWERED: TimeDelta = TimeDelta::hours(24);

/// Until when the reported delivery is not believed unasked, if its source is one that is asked
/// whether it is true.
fn is_asked_until(pipeline: &Pipeline, timeline: &Timeline) -> Option<DateTime<Utc>> {
    let entry = promise::reported(timeline)?;
    let asked = question::is_asked(timeline, entry, &pipeline.settings.questions);
    asked.then(|| entry.received_at + UNANSWERED)
}

impl Turn {
    /// Decides what is to be done about one order.
    fn look(
        &mut self,
        pipeline: &Pipeline,
        id: &str,
        kind: &str,
        history: &[OrderEvent],
        known: Option<&Known>,
    ) {
        let Some(timeline) = id.parse().ok().and_then(|order: OrderId| fold(&order, history))
        else {
            return;
        };
        match kind {
            SILENCE => match silence::watch(&timeline, &pipeline.settings.patience.get()) {
                Some(watch) if watch.at <= self.now => {
                    self.silent.push((id.to_owned(), watch));
                    // Not counted: who was told once of a delay is not written to for each silence.
                    self.drafts.extend(warn_of_silence(&timeline, watch, self.now));
                }
                // The stage was given more patience meanwhile.
                Some(watch) => self.later.push((id.to_owned(), SILENCE, watch.at)),
                None => {}
            },
            ESTIMATE => self.open.push(Case::new(timeline, history, known)),
            LEARN if known.is_none_or(|known| known.learned) => {}
            LEARN => self.taught.hear(&timeline, history),
            other => {
                let zone = known.and_then(|known| known.customer.time_zone.as_deref());
                let Some(due) = Due::from_kind(other) else { return };
                // Who can be asked is not believed unasked.
                let asked = (due == Due::Reported).then(|| is_asked_until(pipeline, &timeline));
                match asked.flatten().filter(|until| *until > self.now) {
                    Some(until) => self.later.push((id.to_owned(), due.kind(), until)),
                    None => self.say(pipeline, (&timeline, history), due, zone),
                }
            }
        }
    }

    /// Says it, if it holds; or looks again when it will (the customer's clock may be another one by now).
    fn say(
        &mut self,
        pipeline: &Pipeline,
        (timeline, history): (&Timeline, &[OrderEvent]),
        due: Due,
        zone: Option<&str>,
    ) {
        let grace = pipeline.settings.derive_grace;
        let draft = derive(timeline, due, zone, self.now);
        let at = promise::look_at(timeline, due, zone, grace).filter(|at| *at > self.now);
        let again = at.map(|at| (timeline.order.to_string(), due.kind(), at));
        self.later.extend(again.filter(|_| draft.is_none()));
        self.drafts.extend(draft.map(|draft| counted(draft, history)));
    }

    /// Notes what was decided, and returns what is to be said.
    async fn settle(
        mut self,
        connection: &mut PgConnection,
        pipeline: &Pipeline,
    ) -> Result<BTreeMap<OrderId, Vec<Draft>>, sqlx::Error> {
        for (order, watch) in &self.silent {
            silent::note(connection, order, *watch).await?;
        }
        for (order, kind, at) in &self.later {
            due::again(connection, order, kind, *at).await?;
        }
        self.taught.learn(connection).await?;
        let floor = pipeline.settings.estimate_floor;
        let (estimates, again) = estimate(connection, &self.open, floor, self.now).await?;
        self.drafts.extend(estimates);
        for (order, at) in again {
            due::again(connection, &order, ESTIMATE, at).await?;
        }
        let mut drafts: BTreeMap<OrderId, Vec<Draft>> = BTreeMap::new();
        for draft in self.drafts {
            if let OrderRef::Order(order) = &draft.order {
                drafts.entry(order.clone()).or_default().push(draft);
            }
        }
        Ok(drafts)
    }
}
