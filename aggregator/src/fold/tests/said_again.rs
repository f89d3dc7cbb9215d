//! What is repeated, confirmed, corrected or taken back.

use super::*;

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
