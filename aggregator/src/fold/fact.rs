//! Events in the order in which they are folded, with what was withdrawn marked.

use super::DERIVED_SOURCE;
use crate::day::{whole_days, zone_of};
use chrono::{DateTime, TimeDelta, Utc};
use contract::event::{Confidence, EtaRange, LineItem, OrderEvent};
use contract::milestone::{Kind, Milestone, Scope};
use std::collections::HashMap;

/// An event in its place.
pub(super) struct Fact<'a> {
    pub(super) event: &'a OrderEvent,
    /// When it counts as happened.
    pub(super) at: DateTime<Utc>,
    /// The source's clock was more than 10 minutes ahead; the fact stands at its first receipt.
    pub(super) clock_ahead: bool,
    /// The milestone; a refund of a part is told from one of all here.
    pub(super) milestone: Milestone,
    /// When it is expected; whole days by the customer's clock.
    pub(super) eta: Option<EtaRange>,
    /// The parcel that it is about, once the parcels are told apart.
    pub(super) parcel: Option<String>,
    /// Key of the event that withdrew it.
    pub(super) corrected_by: Option<String>,
    /// The rank of the event that it withdrew.
    pub(super) corrects_rank: Option<u8>,
    /// It only says again what its source said before, or what a surer source of the same says.
    pub(super) said_before: bool,
    /// Belongs to the history that people see.
    pub(super) shown: bool,
}

impl Fact<'_> {
    /// Does it say something: not withdrawn, and nothing old again?
    pub(super) fn stands(&self) -> bool {
        self.corrected_by.is_none() && !self.said_before
    }

    /// What it is said of. A carrier that cancels means its parcel, not what the shop sells.
    pub(super) fn scope(&self) -> Scope {
        scope_of(self.event)
    }
}

/// Did the clock alone make a report believable?
pub(super) fn is_belief(fact: &Fact<'_>) -> bool {
    fact.event.source == DERIVED_SOURCE && fact.milestone == Milestone::ShipmentDelivered
}

/// Is it an estimate? It stands in the history of the ETA, not among the entries.
pub(super) fn is_estimate(event: &OrderEvent) -> bool {
    event.source == DERIVED_SOURCE
        && matches!(event.milestone, Milestone::EtaSet | Milestone::EtaRevised)
}

/// What an event is said of.
pub(super) fn scope_of(event: &OrderEvent) -> Scope {
    let of_parcel = event.data.tracking_number.is_some() || event.data.shipment.is_some();
    match event.milestone {
        Milestone::OrderCancelled if of_parcel => Scope::Shipment,
        Milestone::OrderCancelled if event.data.line.is_some() => Scope::Item,
        other => other.scope(),
    }
}

/// A clock may be this much ahead before we take the receipt instead.
const SKEW: TimeDelta = TimeDelta::minutes(10);

/// Sorts by (time, rank, source, id) and marks what was withdrawn.
pub(super) fn facts<'a>(events: &[&'a OrderEvent]) -> Vec<Fact<'a>> {
    let mut facts: Vec<Fact<'a>> = events.iter().map(|event| placed(event)).collect();
    facts.sort_by(|a, b| key(a).cmp(&key(b)));
    count_days(&mut facts);
    correct(&mut facts);
    take_up_again(&mut facts);
    restate(&mut facts);
    keep_the_surest(&mut facts);
    facts
}

/// Days begin and end by the customer's clock, as it was told last, whatever a source's is.
fn count_days(facts: &mut [Fact<'_>]) {
    let mut told = facts.iter().filter_map(|fact| fact.event.data.time_zone.as_deref());
    let zone = zone_of(told.next_back());
    for fact in facts {
        let days = fact.event.data.days;
        let counted = days.and_then(|(first, last)| whole_days(first, last, zone));
        fact.eta = counted.or(fact.event.data.eta);
    }
}

fn placed(event: &OrderEvent) -> Fact<'_> {
    let clock_ahead = event.time > event.receivedat + SKEW;
    let at = if clock_ahead { event.receivedat } else { event.time };
    // What is for the operator alone counts only where it withdraws something.
    let belief = event.source == DERIVED_SOURCE && event.milestone == Milestone::ShipmentDelivered;
    let shown = event.milestone.kind() != Kind::Info && !belief && !is_estimate(event);
    let milestone = event.milestone;
    Fact {
        event,
        at,
        clock_ahead,
        milestone,
        eta: None,
        parcel: None,
        corrected_by: None,
        corrects_rank: None,
        said_before: false,
        shown,
    }
}

fn key<'a>(fact: &Fact<'a>) -> (DateTime<Utc>, u8, &'a str, &'a str) {
    (fact.at, fact.event.milestone.rank(), &fact.event.source, &fact.event.id)
}

/// A correction names an event of its own source. From the newest to the oldest, so that a
/// correction that was itself withdrawn withdraws nothing. What is derived and withdrawn leaves
/// no trace in the history.
fn correct(facts: &mut [Fact<'_>]) {
    if facts.iter().all(|fact| fact.event.data.corrects.is_none()) {
        return;
    }
    let places: HashMap<String, usize> =
        facts.iter().enumerate().map(|(place, fact)| (fact.event.key(), place)).collect();
    for place in (0..facts.len()).rev() {
        let fact = &facts[place];
        let Some(corrected) = fact.event.data.corrects.as_ref().filter(|_| fact.stands()) else {
            continue;
        };
        let derived = fact.event.source == DERIVED_SOURCE;
        let by = fact.event.key();
        facts[place].shown &= !derived;
        let target = format!("{}:{corrected}", facts[place].event.source);
        if let Some(target) = places.get(&target).copied().filter(|target| *target != place) {
            facts[target].corrected_by = Some(by);
            facts[target].shown &= !derived;
            facts[place].corrects_rank = Some(facts[target].milestone.rank());
        }
    }
}

/// A platform that tells the whole state again and again takes a cancellation back by telling that the order is
/// worked on: a shop cancels what is not paid in time, and the money comes after all.
fn take_up_again(facts: &mut [Fact<'_>]) {
    let of_order =
        |fact: &Fact<'_>| fact.event.data.restates && fact.stands() && fact.scope() == Scope::Order;
    let mut working: HashMap<&str, String> = HashMap::new();
    for fact in facts.iter_mut().rev() {
        if !of_order(fact) {
            continue;
        }
        match fact.milestone {
            Milestone::OrderConfirmed | Milestone::OrderOnHold => {
                working.entry(&fact.event.source).or_insert_with(|| fact.event.key());
            }
            Milestone::OrderCancelled => {
                fact.corrected_by = working.get(fact.event.source.as_str()).cloned();
            }
            _ => {}
        }
    }
}

/// The thing that an event is about, for comparing what one source says of it.
fn thing(event: &OrderEvent) -> (&str, [Option<&str>; 3]) {
    let data = &event.data;
    let parts = [&data.shipment, &data.tracking_number, &data.line];
    (&event.source, parts.map(|part| part.as_deref()))
}

/// Records that repeat the whole state say the same again and again: of a run of repetitions in
/// one phase the first is kept.
fn restate(facts: &mut [Fact<'_>]) {
    let mut last: HashMap<_, (Milestone, Option<EtaRange>)> = HashMap::new();
    for fact in facts.iter_mut().filter(|f| f.stands() && f.event.data.restates) {
        let phase = fact.milestone.code().split('.').next();
        let news = (fact.milestone, fact.eta);
        fact.said_before = last.insert((thing(fact.event), phase), news) == Some(news);
        fact.shown &= !fact.said_before;
    }
}

/// What was reported and then confirmed by the same source is said once, by the surest: a step of
/// the same moment, an end of any (who is asked later tells another time than who called, and
/// nothing ends twice).
fn keep_the_surest(facts: &mut [Fact<'_>]) {
    let sureness = |fact: &Fact<'_>| match fact.event.data.confidence {
        Confidence::Confirmed => 2,
        Confidence::Reported => 1,
        Confidence::Predicted => 0,
    };
    if facts.windows(2).all(|two| sureness(&two[0]) == sureness(&two[1])) {
        return;
    }
    let mut surest: HashMap<_, usize> = HashMap::new();
    for place in 0..facts.len() {
        if !facts[place].stands() || facts[place].milestone.kind() == Kind::Side {
            continue;
        }
        let fact = &facts[place];
        let moment = (fact.at, fact.event.data.location.as_deref());
        // Pieces are called off one after the other.
        let several = fact.event.data.pieces.is_some();
        let moment = Some(moment).filter(|_| several || !ends(fact.milestone));
        let key = (thing(fact.event), fact.milestone, moment);
        let Some(other) = surest.insert(key, place) else { continue };
        if sureness(&facts[other]) == sureness(&facts[place]) {
            continue;
        }
        let keep = if sureness(&facts[other]) > sureness(&facts[place]) { other } else { place };
        surest.insert(key, keep);
        let silent = if keep == place { other } else { place };
        facts[silent].said_before = true;
        facts[silent].shown = false;
    }
}

/// Does it end something? Refunds are told apart by their moments: there may be several.
fn ends(code: Milestone) -> bool {
    let ended = code.is_terminal() || code == Milestone::ShipmentDamaged;
    ended && code != Milestone::PaymentRefunded
}

/// The lines that the shop told last; an order without any counts as one.
pub(super) fn lines(facts: &[Fact<'_>]) -> Vec<LineItem> {
    let mut told =
        facts.iter().filter(|f| f.corrected_by.is_none() && !f.event.data.items.is_empty());
    let lines = told.next_back().map(|fact| fact.event.data.items.clone());
    let nameless = LineItem {
        line: String::new(),
        sku: None,
        title: None,
        quantity: 1,
        unit_price: None,
        discount: None,
    };
    lines.unwrap_or_else(|| vec![nameless])
}

/// All lines that the shop ever told: a parcel may hold what was taken out of the order since.
pub(super) fn lines_ever(facts: &[Fact<'_>]) -> Vec<LineItem> {
    let told = facts.iter().filter(|fact| fact.corrected_by.is_none());
    let mut all: Vec<LineItem> = Vec::new();
    for line in told.flat_map(|fact| &fact.event.data.items) {
        if !all.iter().any(|known| known.line == line.line) {
            all.push(line.clone());
        }
    }
    if all.is_empty() { lines(facts) } else { all }
}
