//! The status, the steps and the problem of an order.

use super::*;

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
