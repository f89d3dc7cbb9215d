//! Some pieces of a line that are called off are not the line: the rest of it comes.

use super::fact::Fact;
use contract::milestone::{Milestone, Scope};
use std::collections::BTreeMap;

/// What was ordered and called off of one line.
#[derive(Debug, Default)]
struct Count {
    /// The most that was ever told: an edited order may have the rest of it only.
    ordered: u32,
    /// By source: two that tell of one piece mean the same.
    called_off: BTreeMap<String, u32>,
}

/// The pieces of the lines.
#[derive(Debug, Default)]
pub(super) struct Pieces(BTreeMap<String, Count>);

impl Pieces {
    pub(super) fn count(facts: &[Fact<'_>]) -> Self {
        let mut lines: BTreeMap<String, Count> = BTreeMap::new();
        // Of nearly all orders nobody counts.
        if !facts.iter().any(|fact| called_off(fact).is_some()) {
            return Self(lines);
        }
        for fact in facts.iter().filter(|fact| fact.stands()) {
            for item in &fact.event.data.items {
                let line = lines.entry(item.line.clone()).or_default();
                line.ordered = line.ordered.max(item.quantity);
            }
            let Some((line, pieces)) = called_off(fact) else { continue };
            let by = &mut lines.entry(line.to_owned()).or_default().called_off;
            let sum = by.entry(fact.event.source.clone()).or_default();
            *sum = sum.saturating_add(pieces);
        }
        Self(lines)
    }

    /// Does a fact call off a part of its line, with more of it left?
    pub(super) fn is_part(&self, fact: &Fact<'_>) -> bool {
        let Some((line, _)) = called_off(fact) else { return false };
        self.0.get(line).is_some_and(|count| {
            count.called_off.values().max().is_some_and(|most| *most < count.ordered)
        })
    }
}

/// The line of which a fact calls off so many pieces.
fn called_off<'a>(fact: &'a Fact<'_>) -> Option<(&'a str, u32)> {
    let is_one = fact.milestone == Milestone::OrderCancelled && fact.scope() == Scope::Item;
    let said = fact.event.data.line.as_deref().zip(fact.event.data.pieces);
    if is_one { said } else { None }
}
