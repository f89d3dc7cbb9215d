//! The order's status, progress and worst open problem, read off its threads.

use super::thread::{ItemThread, Thread};
use contract::milestone::Milestone;
use contract::timeline::{Problem, Progress};

/// The code of the least advanced unfinished item, and whether nothing more is expected. When none is
/// unfinished, what ended worst tells (the rest shows in the progress); what was called off, only alone.
pub(super) fn status(items: &[ItemThread], order: &Thread) -> (Milestone, bool) {
    let stand = |item: &ItemThread| {
        let (code, state) = (item.thread.code(), item.thread.state.as_ref());
        (code.rank(), state.map(|state| state.since), code)
    };
    let open = items.iter().filter(|item| !item.thread.finished());
    if let Some((.., code)) = open.map(stand).min() {
        return (code, false);
    }
    let ended = items.iter().map(stand);
    let called_off = |code: Milestone| code == Milestone::OrderCancelled;
    let worst = ended.max_by_key(|(rank, since, code)| (!called_off(*code), *rank, *since, *code));
    (worst.map_or_else(|| order.code(), |(.., code)| code), true)
}

/// How many lines have arrived.
pub(super) fn progress(items: &[ItemThread]) -> Progress {
    let delivered =
        items.iter().filter(|item| item.thread.code() == Milestone::ShipmentDelivered).count();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Progress { delivered: count(delivered), of: count(items.len()) }
}

/// The worst open problem: the highest rank, the oldest of these.
pub(super) fn problem(items: &[ItemThread], order: &Thread, terminal: bool) -> Option<Problem> {
    if terminal {
        return None;
    }
    let of_items = items.iter().map(|item| (item.trouble.as_ref(), item.line()));
    let all = of_items.chain([(order.trouble(), None)]).filter_map(|(trouble, line)| {
        let state = trouble?;
        let item_only = state.code.scope() == contract::milestone::Scope::Item;
        Some(Problem {
            code: state.code,
            since: state.since,
            reason: state.reason.clone(),
            shipment: state.shipment.clone(),
            line: line.filter(|_| item_only),
        })
    });
    all.min_by_key(|problem| (std::cmp::Reverse(problem.code.rank()), problem.since))
}
