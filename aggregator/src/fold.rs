//! The fold: a set of events becomes a timeline. Pure; the order of arrival and repetitions do
//! not show (but for `received_at`, which is shown and never sorted by).
//!
//! `fact` sorts the events and takes out what was withdrawn → `refund` tells a part of the money from all of
//! it → `parcel` tells parcels apart, `pieces` a part of a line that is called off from the line → `thread`
//! folds the events of one thing to its state → `status`, `step`, `eta` read the order off its threads.

mod fact;
mod refund;
mod pieces;
mod parcel;
mod thread;
mod shipment;
mod status;
mod step;
mod eta;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod generated;

use chrono::{DateTime, Utc};
use contract::event::{Confidence, OrderEvent};
use contract::id::OrderId;
use contract::milestone::{Kind, Milestone};
use contract::timeline::{Entry, Promise, Shipment, Timeline};
use fact::Fact;
use std::borrow::Borrow;
use std::collections::HashMap;

pub use crate::draft::DERIVED_SOURCE;

/// Does this event take a version? Events for the operator only do not, unless they withdraw
/// something.
#[must_use]
pub fn counts(event: &OrderEvent) -> bool {
    event.milestone.kind() != Kind::Info || event.data.corrects.is_some()
}

/// Folds the accepted events of an order. None while nothing that counts has happened.
#[must_use]
pub fn fold<E: Borrow<OrderEvent>>(order: &OrderId, events: &[E]) -> Option<Timeline> {
    let counted: Vec<&OrderEvent> =
        events.iter().map(Borrow::borrow).filter(|event| counts(event)).collect();
    let updated_at = counted.iter().map(|event| event.receivedat).max()?;
    let mut facts = fact::facts(&counted);
    refund::split_refunds(&mut facts);
    let parcels = parcel::parcels(&mut facts);
    let parts = pieces::Parts::of(&facts);
    let items = thread::items(&facts, &parcels, &parts);
    let whole = thread::order(&facts);
    let (status, terminal) = status::status(&items, &whole);
    let shipments = shipment::shipments(&parcels, &facts);
    let problem = status::problem(&items, &whole, terminal);
    let status = problem.as_ref().map_or(status, |problem| problem.code);
    Some(Timeline {
        order: order.clone(),
        version: counted.len() as u64,
        updated_at,
        status,
        progress: status::progress(&items),
        terminal,
        steps: step::steps(&facts, &items),
        items: items.iter().map(thread::ItemThread::item).collect(),
        entries: entries(&facts),
        eta: eta::eta(&facts, &rest(&items, &shipments, terminal)),
        shipments,
        promise: promise(&facts),
        problem,
    })
}

/// What is still waited for.
fn rest<'a>(
    items: &'a [thread::ItemThread],
    parcels: &'a [Shipment],
    terminal: bool,
) -> eta::Rest<'a> {
    let open = items.iter().filter(|item| !item.thread.finished());
    let goes_back = !terminal && open.clone().all(|item| item.thread.code().goes_back());
    eta::Rest {
        terminal,
        goes_back,
        waiting: open.map(thread::ItemThread::parcel).collect(),
        parcels,
    }
}

/// The timeline with its version: the number of events, above a base that a restore may have
/// raised.
#[must_use]
pub fn state<E: Borrow<OrderEvent>>(order: &OrderId, events: &[E], base: u64) -> Option<Timeline> {
    let mut timeline = fold(order, events)?;
    timeline.version += base;
    Some(timeline)
}

/// What people see, in its order. A reported delivery that was believed in the end is told from one
/// that is still a report.
fn entries(facts: &[Fact<'_>]) -> Vec<Entry> {
    let beliefs = facts.iter().filter(|f| fact::is_belief(f));
    let mut believed: HashMap<&Option<String>, DateTime<Utc>> = HashMap::new();
    for belief in beliefs {
        let last = believed.entry(&belief.parcel).or_default();
        *last = belief.at.max(*last);
    }
    let mut shown = Vec::with_capacity(facts.len());
    shown.extend(facts.iter().filter(|fact| fact.shown).map(entry));
    for entry in shown.iter_mut().filter(|e| e.milestone == Milestone::ShipmentDelivered) {
        let until = believed.get(&entry.shipment);
        // What is reported later is another report.
        if entry.confidence == Confidence::Reported && until.is_some_and(|at| entry.at <= *at) {
            entry.confidence = Confidence::Predicted;
        }
    }
    shown
}

fn entry(fact: &Fact<'_>) -> Entry {
    let data = &fact.event.data;
    Entry {
        id: fact.event.key(),
        at: fact.at,
        received_at: fact.event.receivedat,
        milestone: fact.milestone,
        source: fact.event.source.clone(),
        shipment: fact.parcel.clone(),
        line: data.line.clone(),
        location: data.location.clone(),
        // People's names and numbers stand in carriers' notes: they stay with the event, for the
        // operator.
        note: None,
        reason: data.reason.clone(),
        confidence: data.confidence,
        corrected_by: fact.corrected_by.clone(),
        clock_ahead: fact.clock_ahead,
    }
}

/// The promise that was made last.
fn promise(facts: &[Fact<'_>]) -> Option<Promise> {
    let told = facts.iter().filter(|f| f.corrected_by.is_none());
    let mut promised = told.filter_map(|f| f.event.data.promise);
    promised.next_back().map(|latest| Promise { latest })
}
