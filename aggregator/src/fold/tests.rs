//! What the fold promises, over any order of arrival and any repetition.

use super::*;
use crate::draft::{Draft, OrderRef};
use chrono::{DateTime, TimeDelta, Utc};
use contract::event::Confidence;
use contract::milestone::Milestone;
use contract::timeline::StepState;
use proptest::prelude::*;

fn order() -> OrderId {
    "T-1".parse().unwrap()
}

fn start() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-11-20T01:00:00Z").unwrap().to_utc()
}

/// An event `hour` hours after the start.
fn event(hour: i64, code: &str, change: impl FnOnce(&mut Draft)) -> OrderEvent {
    let at = start() + TimeDelta::hours(hour);
    let id = format!("{code}@{hour}");
    let mut draft = Draft::new("test", id, code.parse().unwrap(), at, OrderRef::Order(order()));
    change(&mut draft);
    draft.into_event(order())
}

fn items(draft: &mut Draft, lines: &[&str]) {
    let item =
        |line: &&str| serde_json::json!({"line": line, "sku": null, "title": "Quà", "quantity": 1});
    draft.data.items = lines.iter().map(|l| serde_json::from_value(item(l)).unwrap()).collect();
}

fn parcel(name: &str, number: &str, lines: &[&str]) -> impl FnOnce(&mut Draft) {
    let (name, number) = (Some(name.to_owned()), Some(number.to_owned()));
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    move |draft| {
        (draft.data.shipment, draft.data.tracking_number, draft.data.lines) = (name, number, lines);
    }
}

fn scan(number: &str) -> impl FnOnce(&mut Draft) {
    let number = Some(number.to_owned());
    move |draft| draft.data.tracking_number = number
}

fn plain() -> Vec<OrderEvent> {
    vec![
        event(0, "order.placed", |d| items(d, &["1"])),
        event(1, "payment.paid", |_| ()),
        event(2, "order.confirmed", |_| ()),
        event(5, "production.started", |d| d.data.line = Some("1".into())),
        event(9, "production.finished", |d| d.data.line = Some("1".into())),
        event(10, "fulfilment.packed", parcel("P1", "X1", &["1"])),
        event(30, "shipment.delivered", scan("X1")),
    ]
}

fn status_of(events: &[OrderEvent]) -> &'static str {
    fold(&order(), events).unwrap().status.code()
}

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
fn the_first_scan_after_the_warehouse_belongs_to_its_parcel() {
    let timeline = fold(&order(), &plain()).unwrap();
    assert_eq!(timeline.shipments.len(), 1);
    assert_eq!(
        (timeline.shipments[0].id.as_str(), timeline.shipments[0].status.code()),
        ("P1", "shipment.delivered")
    );
    assert_eq!(timeline.entries[6].shipment.as_deref(), Some("P1"));
    assert_eq!(timeline.progress, contract::timeline::Progress { delivered: 1, of: 1 });
}

#[test]
fn a_step_that_nobody_told_is_done_without_a_time() {
    let steps = fold(&order(), &plain()).unwrap().steps;
    let transit = steps.iter().find(|s| s.code == "in_transit").unwrap();
    assert_eq!(
        (transit.state, transit.at),
        (StepState::Done, contract::timeline::StepAt::Untold(()))
    );
    let half = fold(&order(), &plain()[..4]).unwrap().steps;
    assert_eq!(half[2].state, StepState::Current);
    assert_eq!(half[3].state, StepState::Ahead);
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
fn the_order_is_where_its_least_advanced_parcel_is() {
    let mut events = vec![event(0, "order.placed", |d| items(d, &["1", "2", "3"]))];
    events.push(event(10, "fulfilment.packed", parcel("P1", "X1", &["1", "2"])));
    events.push(event(11, "fulfilment.packed", parcel("P2", "X2", &["3"])));
    events.push(event(20, "shipment.delivered", scan("X1")));
    let timeline = fold(&order(), &events).unwrap();
    assert_eq!((timeline.status.code(), timeline.terminal), ("fulfilment.packed", false));
    assert_eq!((timeline.progress.delivered, timeline.progress.of), (2, 3));
    events.push(event(40, "shipment.delivered", scan("X2")));
    assert!(fold(&order(), &events).unwrap().terminal);
}

#[test]
fn a_problem_is_the_status_until_anything_later_happens() {
    let mut events = plain()[..6].to_vec();
    events.push(event(20, "shipment.attempt_failed", scan("X1")));
    let timeline = fold(&order(), &events).unwrap();
    assert_eq!(timeline.problem.unwrap().code, Milestone::ShipmentAttemptFailed);
    events.push(event(25, "shipment.out_for_delivery", scan("X1")));
    assert_eq!(status_of(&events), "shipment.out_for_delivery");
}

#[test]
fn a_remake_goes_back_to_the_machine() {
    let mut events = plain()[..4].to_vec();
    events.push(event(6, "production.qc_failed", |d| {
        d.data.line = Some("1".into());
    }));
    assert_eq!(status_of(&events), "production.qc_failed");
    events.push(event(7, "production.started", |d| {
        d.data.line = Some("1".into());
    }));
    assert_eq!(status_of(&events), "production.started");
}

#[test]
fn a_hold_of_the_order_shows_above_what_is_being_made_and_ends_with_the_next_step() {
    let mut events = plain()[..4].to_vec();
    events.push(event(6, "order.on_hold", |d| {
        d.data.reason = Some("artwork".into());
    }));
    assert_eq!(status_of(&events), "order.on_hold");
    events.push(event(9, "production.finished", |d| {
        d.data.line = Some("1".into());
    }));
    assert_eq!(status_of(&events), "production.finished");
}

#[test]
fn a_delivery_that_was_withdrawn_is_shown_as_corrected_and_undone() {
    let mut events = plain();
    events.push(event(31, "shipment.attempt_failed", |d| {
        d.data.tracking_number = Some("X1".into());
        d.data.corrects = Some("shipment.delivered@30".into());
    }));
    let timeline = fold(&order(), &events).unwrap();
    assert_eq!((timeline.status.code(), timeline.terminal), ("shipment.attempt_failed", false));
    let delivered =
        timeline.entries.iter().find(|e| e.milestone == Milestone::ShipmentDelivered).unwrap();
    assert_eq!(delivered.corrected_by.as_deref(), Some("test:shipment.attempt_failed@31"));
}

#[test]
fn a_correction_may_take_its_parcel_back() {
    let mut events = plain()[..6].to_vec();
    events.push(event(20, "shipment.out_for_delivery", scan("X1")));
    events.push(event(30, "shipment.delivered", scan("X1")));
    events.push(event(31, "shipment.in_transit", |d| {
        d.data.tracking_number = Some("X1".into());
        d.data.corrects = Some("shipment.delivered@30".into());
    }));
    assert_eq!(status_of(&events), "shipment.in_transit");
}

#[test]
fn a_cancelled_order_is_over_and_a_delivered_one_stays_delivered() {
    let mut events = plain()[..3].to_vec();
    events.push(event(4, "order.cancelled", |_| ()));
    let cancelled = fold(&order(), &events).unwrap();
    assert_eq!((cancelled.status.code(), cancelled.terminal), ("order.cancelled", true));
    assert!(cancelled.steps.iter().all(|step| step.state != StepState::Current));
    let mut delivered = plain();
    delivered.push(event(40, "order.cancelled", |_| ()));
    assert_eq!(status_of(&delivered), "shipment.delivered");
}

#[test]
fn a_refund_of_a_part_is_told_from_one_of_all() {
    let money = |amount| {
        move |d: &mut Draft| {
            d.data.money = Some(contract::event::Money { amount, currency: "VND".into() });
        }
    };
    let events = vec![
        event(0, "order.placed", |_| ()),
        event(1, "payment.paid", money(900)),
        event(2, "payment.refunded", money(300)),
        event(3, "payment.refunded", money(600)),
    ];
    let timeline = fold(&order(), &events).unwrap();
    let codes: Vec<&str> = timeline.entries.iter().map(|e| e.milestone.code()).collect();
    assert_eq!(codes[2..], ["payment.partially_refunded", "payment.refunded"]);
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

fn restated(hour: i64, code: &str) -> OrderEvent {
    event(hour, code, |d| d.data.restates = true)
}

#[test]
fn what_a_record_of_the_whole_order_repeats_is_shown_once() {
    let history = [
        event(0, "order.placed", |d| items(d, &["1"])),
        restated(1, "payment.paid"),
        restated(2, "order.on_hold"),
        restated(3, "payment.paid"),
        restated(4, "order.on_hold"),
        restated(5, "order.confirmed"),
        restated(6, "order.on_hold"),
    ];
    let timeline = fold(&order(), &history).unwrap();
    let shown: Vec<_> = timeline.entries.iter().map(|e| e.milestone.code()).collect();
    assert_eq!(
        shown,
        ["order.placed", "payment.paid", "order.on_hold", "order.confirmed", "order.on_hold"]
    );
    assert_eq!((timeline.version, timeline.status.code()), (7, "order.on_hold"));
}

#[test]
fn a_parcel_that_its_carrier_called_off_gives_way_to_the_next() {
    let mut history = plain();
    history.pop();
    history.push(event(12, "order.cancelled", scan("X1")));
    let timeline = fold(&order(), &history).unwrap();
    assert_eq!((timeline.status.code(), timeline.terminal), ("order.cancelled", true));
    history.push(event(14, "shipment.handed_over", parcel("P2", "X2", &["1"])));
    let timeline = fold(&order(), &history).unwrap();
    assert_eq!((timeline.status.code(), timeline.terminal), ("shipment.handed_over", false));
}

#[test]
fn what_was_reported_and_then_confirmed_is_said_once() {
    let mut history = plain();
    let said = |id: &str, confidence| {
        event(30, "shipment.delivered", move |d| {
            (d.id, d.source, d.data.confidence) = (id.to_owned(), "ghn".to_owned(), confidence);
            d.data.tracking_number = Some("X1".to_owned());
        })
    };
    history.pop();
    history.push(said("a", contract::event::Confidence::Reported));
    history.push(said("b", contract::event::Confidence::Confirmed));
    let timeline = fold(&order(), &history).unwrap();
    let delivered: Vec<_> =
        timeline.entries.iter().filter(|e| e.milestone == Milestone::ShipmentDelivered).collect();
    assert_eq!(delivered.len(), 1);
    assert_eq!(delivered[0].confidence, contract::event::Confidence::Confirmed);
}

#[test]
fn a_withdrawal_without_a_milestone_of_its_own_counts_and_is_not_shown() {
    let mut history = plain();
    history.push(event(40, "info.ignored", |d| {
        d.data.corrects = Some("shipment.delivered@30".into());
    }));
    let timeline = fold(&order(), &history).unwrap();
    assert_eq!((timeline.version, timeline.status.code()), (8, "fulfilment.packed"));
    let delivered =
        timeline.entries.iter().find(|e| e.milestone == Milestone::ShipmentDelivered).unwrap();
    assert_eq!(delivered.corrected_by.as_deref(), Some("test:info.ignored@40"));
    assert!(timeline.entries.iter().all(|e| e.milestone != Milestone::InfoIgnored));
}

#[test]
fn an_unnamed_parcel_is_the_only_one_and_articles_find_their_lines() {
    let mut history = plain();
    history.pop();
    history.push(event(20, "shipment.handed_over", |_| ()));
    assert_eq!(fold(&order(), &history).unwrap().shipments.len(), 1);
    assert_eq!(status_of(&history), "shipment.handed_over");
    let by_article = [
        event(0, "order.placed", |d| {
            items(d, &["1", "2"]);
            d.data.items[1].sku = Some("MUG".to_owned());
        }),
        event(5, "shipment.delivered", |d| {
            (d.data.tracking_number, d.data.skus) = (Some("Z".into()), vec!["MUG".into()]);
        }),
    ];
    let timeline = fold(&order(), &by_article).unwrap();
    assert_eq!(timeline.progress, contract::timeline::Progress { delivered: 1, of: 2 });
    assert_eq!(timeline.shipments[0].items, ["2"]);
}

#[test]
fn a_declared_step_back_leaves_a_report_but_nothing_that_is_sure() {
    let back = |d: &mut Draft| {
        d.data.tracking_number = Some("X1".into());
        d.data.step_back = true;
    };
    let mut sure = plain();
    sure.push(event(32, "shipment.attempt_failed", back));
    assert_eq!(status_of(&sure), "shipment.delivered");
    let mut reported = plain();
    reported[6].data.confidence = Confidence::Reported;
    reported.push(event(32, "shipment.attempt_failed", back));
    assert_eq!(status_of(&reported), "shipment.attempt_failed");
    let mut cancelled = plain()[..3].to_vec();
    cancelled.push(event(4, "order.cancelled", |_| ()));
    cancelled.push(event(5, "shipment.in_transit", back));
    assert_eq!(status_of(&cancelled), "order.cancelled");
}

#[test]
fn one_item_that_is_cancelled_or_delivered_leaves_the_others_alone() {
    let mut history = vec![event(0, "order.placed", |d| items(d, &["1", "2"]))];
    history.push(event(1, "order.cancelled", |d| d.data.line = Some("1".into())));
    assert_eq!(status_of(&history), "order.placed");
    history.push(event(2, "shipment.delivered", |d| {
        (d.data.shipment, d.data.lines) = (Some("G-2".into()), vec!["2".into()]);
    }));
    let timeline = fold(&order(), &history).unwrap();
    assert_eq!(timeline.progress, contract::timeline::Progress { delivered: 1, of: 2 });
    assert!(timeline.terminal);
}

#[test]
fn lines_that_the_order_does_not_have_hide_no_parcel() {
    let history = [
        event(0, "order.placed", |d| items(d, &["1"])),
        event(5, "shipment.delivered", parcel("P1", "X1", &["maker-77"])),
    ];
    assert_eq!(status_of(&history), "shipment.delivered");
}
