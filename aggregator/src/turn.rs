//! What holds an order up: whose turn it is not, and who was heard of last there. Pure.

use chrono::{DateTime, Utc};
use contract::milestone::{Kind, Milestone};
use contract::timeline::{Entry, Item, Timeline};

/// Does it wait for the buyer: for money, an answer, or to be fetched? Then nobody else is late.
#[must_use]
pub fn waits_for_the_buyer(timeline: &Timeline) -> bool {
    let asks = matches!(
        timeline.status,
        Milestone::PaymentPending
            | Milestone::PaymentFailed
            | Milestone::OrderOnHold
            | Milestone::DesignProofPending
            | Milestone::DesignProofRejected
    );
    asks || nothing_comes(timeline)
}

/// Is all that is still open at the counter, or on its way back?
#[must_use]
pub fn nothing_comes(timeline: &Timeline) -> bool {
    let mut open = timeline.items.iter().filter(|item| !item.status.is_terminal()).peekable();
    let is_there =
        |status: Milestone| status.goes_back() || status == Milestone::ShipmentAvailableForPickup;
    open.peek().is_some() && open.all(|item| is_there(item.status))
}

/// What was heard last of that part of an order which has come least far and was silent the longest: of a line
/// there and its parcel, or of the order as a whole. One that stands still is not hidden by another that moves.
#[must_use]
pub fn heard(timeline: &Timeline) -> Option<&Entry> {
    let here = timeline.items.iter().filter(|item| item.status == timeline.status);
    let each =
        here.filter_map(|item| told(timeline).filter(|e| is_of(e, item)).max_by_key(|e| newest(e)));
    each.min_by_key(|e| newest(e)).or_else(|| told(timeline).max_by_key(|e| newest(e)))
}

/// What was told of the order: what is derived says nothing of what anybody did.
#[must_use]
pub fn told(timeline: &Timeline) -> impl DoubleEndedIterator<Item = &Entry> {
    timeline.entries.iter().filter(|entry| entry.milestone.kind() != Kind::Side)
}

fn newest(entry: &Entry) -> (DateTime<Utc>, DateTime<Utc>) {
    (entry.received_at, entry.at)
}

/// Is it said of this line, of its parcel, or of the whole order? (A line without a name is all there is.)
fn is_of(entry: &Entry, item: &Item) -> bool {
    match (&entry.shipment, &entry.line) {
        (Some(parcel), _) if item.shipment.as_ref() == Some(parcel) => true,
        (_, Some(line)) => item.line == *line || item.line.is_empty(),
        (Some(_), None) => false,
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::{Draft, OrderRef};
    use crate::fold::fold;
    use chrono::TimeDelta;
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

    #[test]
    fn of_two_lines_at_one_step_the_one_that_is_silent_for_longer_counts() {
        let (one, two) = (Some("1"), Some("2"));
        let history = [
            event(0, "order.placed", None),
            event(1, "production.started", one),
            event(2, "production.started", two),
            event(9, "production.started", two),
        ];
        let timeline = fold(&"T-1".parse().unwrap(), &history).unwrap();
        assert_eq!(heard(&timeline).unwrap().id, "t:1");
        // Of an order whose lines nobody told, everything is said.
        let mut nameless = history.to_vec();
        nameless[0].data.items.clear();
        let timeline = fold(&"T-1".parse().unwrap(), &nameless).unwrap();
        assert_eq!(heard(&timeline).unwrap().id, "t:9");
    }
}
