//! A history: four bytes say what an event is. Whatever they are, the timeline is one and the same,
//! forwards and backwards.

#![no_main]

use aggregator::draft::{Draft, OrderRef};
use aggregator::fold::fold;
use chrono::{DateTime, TimeDelta};
use contract::event::{Confidence, OrderEvent};
use contract::id::OrderId;
use contract::milestone::Milestone;
use libfuzzer_sys::fuzz_target;
use std::collections::HashSet;

/// Events of one history: an order has few.
const MOST: usize = 64;
const SOURCES: [&str; 4] = ["shop", "ghn", "manufacturing", "milepost"];

fuzz_target!(|bytes: &[u8]| {
    let order: OrderId = "T-1".parse().expect("an order");
    let mut keys = HashSet::new();
    let mut history: Vec<OrderEvent> =
        bytes.chunks_exact(4).take(MOST).map(|four| event(&order, four)).collect();
    history.retain(|event| keys.insert(event.key()));
    let first = fold(&order, &history);
    history.reverse();
    assert_eq!(first, fold(&order, &history), "two orders of arrival, two timelines");
});

/// What, when, of which parcel or line, by whom, and which other event it withdraws.
fn event(order: &OrderId, four: &[u8]) -> OrderEvent {
    let [what, when, thing, who] = [0, 1, 2, 3].map(|n| four[n]);
    let at = DateTime::from_timestamp(1_795_000_000, 0).expect("a moment")
        + TimeDelta::minutes(i64::from(when) * 40);
    let milestone = Milestone::ALL[usize::from(what) % Milestone::ALL.len()];
    let source = SOURCES[usize::from(who) % SOURCES.len()];
    let id = |when: u8, thing: u8| format!("{}-{}", when % 32, thing % 8);
    let order_ref = OrderRef::Order(order.clone());
    let mut draft = Draft::new(source, id(when, thing), milestone, at, order_ref);
    draft.received_at = at + TimeDelta::minutes(i64::from(what) - 30);
    draft.data.tracking_number = (thing & 3 > 0).then(|| format!("G{}", thing & 3));
    draft.data.line = (thing & 12 > 0).then(|| (thing >> 2 & 3).to_string());
    draft.data.corrects = (who & 240 == 16).then(|| id(thing, who));
    if who & 64 > 0 {
        draft.data.confidence = Confidence::Reported;
    }
    draft.into_event(order.clone())
}
