//! The seven steps that the buyer sees.

use super::fact::Fact;
use super::thread::{ItemThread, leads_on};
use contract::milestone::{Kind, Milestone};
use contract::timeline::{Step, StepAt, StepState};

/// Each step with the first rank that belongs to it.
const STEPS: [(&str, u8); 7] = [
    ("placed", 10),
    ("confirmed", 30),
    ("production", 40),
    ("packed", 50),
    ("in_transit", 60),
    ("out_for_delivery", 70),
    ("delivered", 80),
];

/// The place of a rank among the steps.
fn place(rank: u8) -> usize {
    STEPS.iter().rposition(|(_, first)| *first <= rank).unwrap_or(0)
}

/// The steps as the least advanced item that is still on its way stands.
pub(super) fn steps(facts: &[Fact<'_>], items: &[ItemThread]) -> Vec<Step> {
    let reached = |item: &ItemThread| item.thread.forward.map_or(0, |code| place(code.rank()));
    // What was called off went no further, unless all was.
    let kept: Vec<&ItemThread> =
        items.iter().filter(|item| item.thread.code() != Milestone::OrderCancelled).collect();
    let items: Vec<&ItemThread> = if kept.is_empty() { items.iter().collect() } else { kept };
    let open = items.iter().filter(|item| !item.thread.finished()).map(|item| reached(item)).min();
    let here = open.or_else(|| items.iter().map(|item| reached(item)).min()).unwrap_or(0);
    let over = open.is_none();
    let state = |index: usize| match index.cmp(&here) {
        std::cmp::Ordering::Less => StepState::Done,
        std::cmp::Ordering::Equal if over => StepState::Done,
        std::cmp::Ordering::Equal => StepState::Current,
        std::cmp::Ordering::Greater => StepState::Ahead,
    };
    let step = |(index, (code, _)): (usize, &(&str, u8))| {
        let state = state(index);
        let at = if state == StepState::Ahead { StepAt::Ahead } else { reached_at(facts, index) };
        Step { code: (*code).to_owned(), state, at }
    };
    STEPS.iter().enumerate().map(step).collect()
}

/// When the step was reached: its first event, for the door the last.
fn reached_at(facts: &[Fact<'_>], index: usize) -> StepAt {
    let forward = |fact: &&Fact<'_>| {
        let kind = fact.milestone.kind();
        let door = Milestone::ShipmentDelivered.rank();
        fact.stands()
            && !matches!(kind, Kind::Side | Kind::Info | Kind::Return)
            && (10..=door).contains(&fact.milestone.rank())
            && leads_on(fact.milestone)
            && place(fact.milestone.rank()) == index
    };
    let mut times = facts.iter().filter(forward).map(|fact| fact.at);
    let time = if index == STEPS.len() - 1 { times.next_back() } else { times.next() };
    time.map_or(StepAt::Untold(()), StepAt::At)
}
