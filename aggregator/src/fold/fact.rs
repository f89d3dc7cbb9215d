//! Events in the order in which they are folded, with what was withdrawn marked.

use super::DERIVED_SOURCE;
use chrono::{DateTime, TimeDelta, Utc};
use contract::event::OrderEvent;
use contract::milestone::Milestone;
use std::collections::{BTreeMap, HashMap};

/// An event in its place.
pub(super) struct Fact<'a> {
    pub(super) event: &'a OrderEvent,
    /// When it counts as happened.
    pub(super) at: DateTime<Utc>,
    /// The source's clock was more than 10 minutes ahead; the fact stands at its first receipt.
    pub(super) clock_ahead: bool,
    /// The milestone; a refund of a part is told from one of all here.
    pub(super) milestone: Milestone,
    /// Key of the event that withdrew it.
    pub(super) corrected_by: Option<String>,
    /// Belongs to the history that people see.
    pub(super) shown: bool,
}

impl Fact<'_> {
    /// Was it not withdrawn?
    pub(super) fn stands(&self) -> bool {
        self.corrected_by.is_none()
    }
}

/// A clock may be this much ahead before we take the receipt instead.
const SKEW: TimeDelta = TimeDelta::minutes(10);

/// Sorts by (time, rank, source, id) and marks what was withdrawn.
pub(super) fn facts<'a>(events: &[&'a OrderEvent]) -> Vec<Fact<'a>> {
    let mut facts: Vec<Fact<'a>> = events.iter().map(|event| placed(event)).collect();
    facts.sort_by(|a, b| key(a).cmp(&key(b)));
    correct(&mut facts);
    split_refunds(&mut facts);
    facts
}

fn placed(event: &OrderEvent) -> Fact<'_> {
    let clock_ahead = event.time > event.receivedat + SKEW;
    let at = if clock_ahead { event.receivedat } else { event.time };
    Fact { event, at, clock_ahead, milestone: event.milestone, corrected_by: None, shown: true }
}

fn key<'a>(fact: &Fact<'a>) -> (DateTime<Utc>, u8, &'a str, &'a str) {
    (fact.at, fact.event.milestone.rank(), &fact.event.source, &fact.event.id)
}

/// A correction names an event of its own source. From the newest to the oldest, so that a
/// correction that was itself withdrawn withdraws nothing. What is derived and withdrawn leaves
/// no trace in the history.
fn correct(facts: &mut [Fact<'_>]) {
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
        }
    }
}

/// A refund is a partial one while less than what was paid has been paid back, by currency.
fn split_refunds(facts: &mut [Fact<'_>]) {
    let mut paid: BTreeMap<&str, i64> = BTreeMap::new();
    for fact in facts.iter().filter(|f| f.stands() && f.milestone == Milestone::PaymentPaid) {
        if let Some(money) = &fact.event.data.money {
            let most = paid.entry(&money.currency).or_default();
            *most = (*most).max(money.amount);
        }
    }
    let mut back: BTreeMap<&str, i64> = BTreeMap::new();
    for fact in facts.iter_mut().filter(|f| f.stands() && f.milestone == Milestone::PaymentRefunded)
    {
        let Some(money) = &fact.event.data.money else {
            continue;
        };
        let sum = back.entry(&money.currency).or_default();
        *sum = sum.saturating_add(money.amount);
        if paid.get(money.currency.as_str()).is_some_and(|paid| *sum < *paid) {
            fact.milestone = Milestone::PaymentPartiallyRefunded;
        }
    }
}
