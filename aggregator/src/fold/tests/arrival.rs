//! Any order of arrival, any clock: one timeline.

use super::*;
use proptest::prelude::*;

/// Every order of seven events.
fn permutations(events: &[OrderEvent]) -> Vec<Vec<OrderEvent>> {
    if events.len() <= 1 {
        return vec![events.to_vec()];
    }
    let one = |first: usize| {
        let mut rest = events.to_vec();
        let head = rest.remove(first);
        permutations(&rest).into_iter().map(move |mut tail| {
            tail.insert(0, head.clone());
            tail
        })
    };
    (0..events.len()).flat_map(one).collect()
}

#[test]
fn all_5040_orders_of_a_history_give_one_timeline() {
    let expected = fold(&order(), &plain()).unwrap();
    assert_eq!(
        (expected.status, expected.version, expected.terminal),
        (Milestone::ShipmentDelivered, 7, true)
    );
    let all = permutations(&plain());
    assert_eq!(all.len(), 5040);
    for history in all {
        assert_eq!(fold(&order(), &history).unwrap(), expected);
    }
}

#[test]
fn a_late_scan_of_a_lower_rank_changes_no_status_but_is_in_the_history() {
    let mut events = plain();
    events.push(event(31, "shipment.in_transit", scan("X1")));
    let timeline = fold(&order(), &events).unwrap();
    assert_eq!(
        (timeline.status.code(), timeline.entries.len(), timeline.version),
        ("shipment.delivered", 8, 8)
    );
}

#[test]
fn a_clock_that_is_ahead_is_taken_at_the_receipt() {
    let mut late = event(50, "shipment.in_transit", scan("X1"));
    late.receivedat = start() + TimeDelta::hours(12);
    let mut events = plain()[..6].to_vec();
    events.push(late);
    let timeline = fold(&order(), &events).unwrap();
    let entry = timeline.entries.last().unwrap();
    assert!(entry.clock_ahead);
    assert_eq!(entry.at, start() + TimeDelta::hours(12));
}

fn any_history() -> impl Strategy<Value = Vec<OrderEvent>> {
    let one = (0..48_i64, 0..Milestone::ALL.len(), 0..3_usize, 0..3_usize, any::<bool>());
    prop::collection::vec(one, 1..24).prop_map(|parts| {
        let build = |(hour, code, line, number, corrects): (i64, usize, usize, usize, bool)| {
            let target = format!("{}@{}", Milestone::ALL[code].code(), (hour + 7) % 48);
            event(hour, Milestone::ALL[code].code(), |draft| {
                draft.data.line = (line > 0).then(|| line.to_string());
                draft.data.tracking_number = (number > 0).then(|| format!("X{number}"));
                draft.data.corrects = corrects.then_some(target);
            })
        };
        let mut events = vec![event(0, "order.placed", |d| items(d, &["1", "2"]))];
        events.extend(parts.into_iter().map(build));
        let mut seen = std::collections::BTreeSet::new();
        events.retain(|e| seen.insert(e.key()));
        events
    })
}

proptest! {
    #[test]
    fn any_order_of_any_history_gives_one_timeline(history in any_history(), seed in any::<u64>()) {
        let expected = fold(&order(), &history);
        let mut shuffled = history;
        let mut random = seed;
        for last in (1..shuffled.len()).rev() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let place = usize::try_from(random >> 33).unwrap() % (last + 1);
            shuffled.swap(last, place);
        }
        prop_assert_eq!(fold(&order(), &shuffled), expected);
    }

    #[test]
    fn steps_never_go_past_what_is_current(history in any_history()) {
        if let Some(timeline) = fold(&order(), &history) {
            let rank = |state| match state { StepState::Done => 0, StepState::Current => 1, StepState::Ahead => 2 };
            prop_assert!(timeline.steps.iter().map(|s| rank(s.state)).is_sorted());
            prop_assert_eq!(timeline.steps.len(), 7);
        }
    }
}
