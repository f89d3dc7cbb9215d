//! Some pieces of a line that are called off are not the line: the rest of it comes.

use super::fact::Fact;
use contract::milestone::{Milestone, Scope};
use std::collections::{BTreeMap, BTreeSet};

/// What was ordered and called off of one line.
#[derive(Debug, Default)]
struct Count {
    /// The most that were ever ordered: an edited order may have the rest of it only, whoever says so first.
    ordered: u32,
    /// By source: two that tell of one piece mean the same.
    called_off: BTreeMap<String, u32>,
}

/// The facts that call off a part of their line, with more of it left at the time.
#[derive(Debug, Default)]
pub(super) struct Parts(BTreeSet<String>);

impl Parts {
    pub(super) fn of(facts: &[Fact<'_>]) -> Self {
        let mut parts = BTreeSet::new();
        // Of nearly all orders nobody counts.
        if facts.iter().any(|fact| called_off(fact).is_some()) {
            let mut lines = ordered(facts);
            for fact in facts.iter().filter(|fact| fact.stands()) {
                let Some((line, pieces)) = called_off(fact) else { continue };
                // Of a line that nobody told some pieces are no whole line, and no whole order.
                if lines.get_mut(line).is_none_or(|line| line.has_more(fact, pieces)) {
                    parts.insert(fact.event.key());
                }
            }
        }
        Self(parts)
    }

    pub(super) fn has(&self, fact: &Fact<'_>) -> bool {
        !self.0.is_empty() && self.0.contains(&fact.event.key())
    }
}

impl Count {
    /// Calls off so many pieces more; are there others left?
    fn has_more(&mut self, fact: &Fact<'_>, pieces: u32) -> bool {
        let sum = self.called_off.entry(fact.event.source.clone()).or_default();
        *sum = sum.saturating_add(pieces);
        self.called_off.values().all(|sum| *sum < self.ordered)
    }
}

/// How many of each line were ordered; one that an order lists twice has both.
fn ordered(facts: &[Fact<'_>]) -> BTreeMap<String, Count> {
    let mut lines = BTreeMap::<String, Count>::new();
    for fact in facts.iter().filter(|fact| fact.corrected_by.is_none()) {
        let mut told = BTreeMap::<&String, u32>::new();
        for item in &fact.event.data.items {
            let sum = told.entry(&item.line).or_default();
            *sum = sum.saturating_add(item.quantity);
        }
        for (line, sum) in told {
            let line = lines.entry(line.clone()).or_default();
            line.ordered = line.ordered.max(sum);
        }
    }
    lines
}

/// The line of which a fact calls off so many pieces.
fn called_off<'a>(fact: &'a Fact<'_>) -> Option<(&'a str, u32)> {
    let is_one = fact.milestone == Milestone::OrderCancelled && fact.scope() == Scope::Item;
    let said = fact.event.data.line.as_deref().zip(fact.event.data.pieces);
    if is_one { said } else { None }
}
