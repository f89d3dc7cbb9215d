//! What holds an order up: whose turn it is not, and who was heard of last there. Pure.

use contract::milestone::{Kind, Milestone};
use contract::timeline::{Entry, Timeline};

/// Does it wait for the buyer: for money, an answer, or to be fetched? Then nobody else is late.
#[must_use]
pub const fn waits_for_the_buyer(status: Milestone) -> bool {
    matches!(
        status,
        Milestone::PaymentPending
            | Milestone::PaymentFailed
            | Milestone::OrderOnHold
            | Milestone::DesignProofPending
            | Milestone::DesignProofRejected
    ) || is_back_or_at_the_counter(status)
}

/// Can the parcel be fetched, or is it on its way back?
#[must_use]
pub const fn is_back_or_at_the_counter(status: Milestone) -> bool {
    matches!(
        status,
        Milestone::ShipmentAvailableForPickup
            | Milestone::ShipmentReturnPending
            | Milestone::ShipmentReturning
    )
}

/// What was heard last of that part of an order which has come least far: of its lines there and their
/// parcels, or of the order as a whole. One that stands still is not hidden by another that moves.
#[must_use]
pub fn heard(timeline: &Timeline) -> Option<&Entry> {
    let here: Vec<_> =
        timeline.items.iter().filter(|item| item.status == timeline.status).collect();
    let of_it = |entry: &&Entry| match (&entry.line, &entry.shipment) {
        (Some(line), _) => here.iter().any(|item| item.line == *line),
        (None, Some(parcel)) => here.iter().any(|item| item.shipment.as_ref() == Some(parcel)),
        (None, None) => true,
    };
    // What is derived says nothing of what anybody did.
    let told = || timeline.entries.iter().filter(|entry| entry.milestone.kind() != Kind::Side);
    let newest = |entry: &&Entry| (entry.received_at, entry.at);
    let there = told().filter(|entry| here.is_empty() || of_it(entry)).max_by_key(newest);
    there.or_else(|| told().max_by_key(newest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::{Draft, OrderRef};
    use crate::fold::fold;
    use chrono::{DateTime, TimeDelta};
    use contract::event::OrderEvent;
    use contract::id::OrderId;

    /// Something heard of a line, so many hours after the order was placed.
    fn event(hour: i64, code: &str, line: Option<&str>) -> OrderEvent {
        let order: OrderId = "T-1".parse().unwrap();
        let at = DateTime::from_timestamp(1_795_000_000, 0).unwrap() + TimeDelta::hours(hour);
        let named = OrderRef::Order(order.clone());
        let mut draft = Draft::new("t", hour.to_string(), code.parse().unwrap(), at, named);
        draft.data.line = line.map(str::to_owned);
        if code == "order.placed" {
            let items = r#"[{"line":"1","quantity":1},{"line":"2","quantity":1}]"#;
            draft.data.items = serde_json::from_str(items).unwrap();
        }
        draft.into_event(order)
    }

    #[test]
    fn a_line_that_moves_hides_none_that_stands_still() {
        let history = [
            event(0, "order.placed", None),
            event(1, "production.started", Some("1")),
            event(2, "production.started", Some("2")),
            event(9, "production.finished", Some("2")),
        ];
        let heard_at = |history: &[OrderEvent]| {
            let timeline = fold(&"T-1".parse().unwrap(), history).unwrap();
            heard(&timeline).unwrap().id.clone()
        };
        assert_eq!(heard_at(&history), "t:1", "the first line is not made yet");
        assert_eq!(heard_at(&history[..1]), "t:0");
        // A warning is no sign of life.
        let warned = [&history[..], &[event(10, "delay.warning", None)]].concat();
        assert_eq!(heard_at(&warned), "t:1");
        let held = [&history[..], &[event(11, "order.on_hold", None)]].concat();
        assert_eq!(heard_at(&held), "t:11", "what is said of the whole order counts");
    }
}
