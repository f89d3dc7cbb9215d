//! What goes on after something that looked like an end.

use super::*;

fn parcels_of(timeline: &Timeline) -> Vec<(&str, &str)> {
    timeline.shipments.iter().map(|p| (p.id.as_str(), p.status.code())).collect()
}

#[test]
fn a_label_that_was_called_off_and_booked_anew_under_the_same_name_is_the_new_one() {
    let mut events = plain()[..6].to_vec();
    events.push(event(12, "order.cancelled", scan("X1")));
    assert_eq!(status_of(&events), "order.cancelled");
    events.push(event(13, "shipment.label_created", parcel("P1", "VTP9", &["1"])));
    events.push(event(14, "shipment.handed_over", scan("VTP9")));
    let timeline = fold(&order(), &events).unwrap();
    assert_eq!((timeline.status.code(), timeline.terminal), ("shipment.handed_over", false));
    assert_eq!(parcels_of(&timeline), [("P1", "shipment.handed_over"), ("X1", "order.cancelled")]);
}

#[test]
fn what_was_lost_may_come_in_a_parcel_of_which_nobody_says_what_is_in_it() {
    for end in ["shipment.lost", "shipment.returned", "order.cancelled"] {
        let mut events = plain()[..6].to_vec();
        events.push(event(12, end, scan("X1")));
        events.push(event(14, "shipment.in_transit", scan("X2")));
        assert_eq!(status_of(&events), "shipment.in_transit", "{end}");
        events.push(event(20, "shipment.delivered", scan("X2")));
        assert_eq!(fold(&order(), &events).unwrap().progress.delivered, 1, "{end}");
    }
}

#[test]
fn a_platform_that_works_on_what_it_had_cancelled_takes_that_back() {
    let told = |hour: i64, code: &str, source: &str| {
        let source = source.to_owned();
        event(hour, code, move |d| (d.source, d.data.restates) = (source, true))
    };
    let mut events = vec![event(0, "order.placed", |d| items(d, &["1"]))];
    events.push(told(1, "order.cancelled", "platform"));
    events.push(told(2, "order.confirmed", "another"));
    assert_eq!(status_of(&events), "order.cancelled", "another's word takes nothing back");
    events.push(told(3, "order.confirmed", "platform"));
    let timeline = fold(&order(), &events).unwrap();
    assert_eq!(timeline.status.code(), "order.confirmed");
    let cancelled = timeline.entries.iter().find(|e| e.milestone == Milestone::OrderCancelled);
    assert_eq!(cancelled.unwrap().corrected_by.as_deref(), Some("platform:order.confirmed@3"));
    events.push(told(4, "order.cancelled", "platform"));
    assert_eq!(status_of(&events), "order.cancelled", "the last word counts");
}

#[test]
fn a_report_is_contradicted_by_trouble_and_by_another_end() {
    let delivered = |sure: Confidence| {
        event(20, "shipment.delivered", move |d| {
            scan("X1")(d);
            d.data.confidence = sure;
        })
    };
    for then in ["shipment.attempt_failed", "shipment.returning", "shipment.lost"] {
        let with = |sure: Confidence| {
            let mut events = plain()[..6].to_vec();
            events.extend([delivered(sure), event(21, then, scan("X1"))]);
            status_of(&events)
        };
        assert_eq!(with(Confidence::Reported), then);
        assert_eq!(with(Confidence::Confirmed), "shipment.delivered");
    }
}

#[test]
fn swapped_labels_that_were_mended_are_two_parcels() {
    let mut events = vec![event(0, "order.placed", |d| items(d, &["1", "2"]))];
    events.push(event(1, "fulfilment.packed", parcel("P1", "X2", &["1"])));
    events.push(event(2, "fulfilment.packed", parcel("P2", "X1", &["2"])));
    events.push(event(3, "shipment.label_created", parcel("P1", "X1", &["1"])));
    events.push(event(4, "shipment.label_created", parcel("P2", "X2", &["2"])));
    events.push(event(9, "shipment.delivered", scan("X1")));
    let timeline = fold(&order(), &events).unwrap();
    assert_eq!((timeline.progress.delivered, timeline.terminal), (1, false));
    assert_eq!(
        parcels_of(&timeline),
        [("P1", "shipment.delivered"), ("P2", "shipment.label_created")]
    );
}

#[test]
fn a_line_that_took_anothers_place_has_no_part_in_its_parcel() {
    let mut events = vec![event(0, "order.placed", |d| items(d, &["1", "2"]))];
    events.push(event(1, "fulfilment.packed", parcel("P1", "X1", &["1"])));
    events.push(event(9, "shipment.returned", scan("X1")));
    events.push(event(10, "order.placed", |d| items(d, &["2", "3"])));
    events.push(event(11, "production.started", |d| d.data.line = Some("3".into())));
    let timeline = fold(&order(), &events).unwrap();
    let states: Vec<_> = timeline.items.iter().map(|item| item.status.code()).collect();
    assert_eq!(states, ["order.placed", "production.started"]);
}

#[test]
fn of_the_parcels_of_one_line_the_worst_end_and_the_worst_trouble_tell() {
    let mut events = vec![event(0, "order.placed", |d| items(d, &["1"]))];
    events.push(event(1, "fulfilment.packed", parcel("P1", "X1", &["1"])));
    events.push(event(2, "fulfilment.packed", parcel("P2", "X2", &["1"])));
    events.push(event(3, "shipment.damaged", scan("X2")));
    let timeline = fold(&order(), &events).unwrap();
    assert_eq!(timeline.problem.unwrap().shipment.as_deref(), Some("P2"));
    events.push(event(4, "shipment.delivered", scan("X1")));
    events.push(event(5, "shipment.lost", scan("X2")));
    assert_eq!(status_of(&events), "shipment.lost");
}

#[test]
fn steps_are_those_of_what_was_not_called_off_and_money_undoes_none() {
    let mut events = plain();
    events[0] = event(0, "order.placed", |d| items(d, &["1", "2"]));
    events.push(event(3, "order.cancelled", |d| d.data.line = Some("2".into())));
    let timeline = fold(&order(), &events).unwrap();
    assert!(timeline.steps.iter().all(|step| step.state == StepState::Done), "{timeline:?}");
    let mut held = plain()[..3].to_vec();
    held.push(event(3, "order.on_hold", |_| ()));
    held.push(event(4, "payment.paid", |d| d.id = "again".into()));
    let states: Vec<_> = fold(&order(), &held).unwrap().steps.iter().map(|s| s.state).collect();
    assert_eq!(states[1], StepState::Current, "it was confirmed");
}

#[test]
fn what_comes_back_to_the_shop_is_expected_by_nobody() {
    let mut events = plain()[..6].to_vec();
    events.push(event(11, "eta.revised", |d| {
        scan("X1")(d);
        let (earliest, latest) = (start() + TimeDelta::days(2), start() + TimeDelta::days(3));
        d.data.eta = Some(contract::event::EtaRange { earliest, latest });
    }));
    assert!(fold(&order(), &events).unwrap().eta.is_some());
    events.push(event(12, "shipment.returning", scan("X1")));
    let timeline = fold(&order(), &events).unwrap();
    assert_eq!(
        (timeline.eta, crate::estimate::due_at(&fold(&order(), &events).unwrap())),
        (None, None)
    );
    // Another parcel that goes on is waited for.
    events[0] = event(0, "order.placed", |d| items(d, &["1", "2"]));
    events.push(event(11, "fulfilment.packed", parcel("P2", "X2", &["2"])));
    let (earliest, latest) = (start() + TimeDelta::days(4), start() + TimeDelta::days(5));
    events.push(event(12, "eta.revised", |d| {
        scan("X2")(d);
        d.data.eta = Some(contract::event::EtaRange { earliest, latest });
    }));
    let eta = fold(&order(), &events).unwrap().eta.unwrap();
    assert_eq!(eta.range.latest, latest);
}

#[test]
fn a_parcel_in_the_place_of_one_that_was_lost_or_came_back_is_what_counts() {
    for end in ["shipment.lost", "shipment.returned"] {
        let mut events = plain()[..6].to_vec();
        events.push(event(12, "shipment.returning", scan("X1")));
        events.push(event(13, end, scan("X1")));
        let mut listed = events.clone();
        listed.push(event(14, "fulfilment.packed", parcel("P2", "X2", &["1"])));
        listed.push(event(20, "shipment.delivered", scan("X2")));
        let timeline = fold(&order(), &listed).unwrap();
        assert_eq!(
            (timeline.status.code(), timeline.progress.delivered),
            ("shipment.delivered", 1)
        );
        // The same under the name that the parcel had.
        let mut renamed = events.clone();
        renamed.push(event(14, "shipment.label_created", parcel("P1", "VTP9", &["1"])));
        assert_eq!(status_of(&renamed), "shipment.label_created", "{end}");
        renamed.push(event(20, "shipment.delivered", scan("VTP9")));
        assert_eq!(status_of(&renamed), "shipment.delivered", "{end}");
    }
}

#[test]
fn a_lost_line_is_not_in_a_parcel_that_may_be_anothers() {
    let mut events = vec![event(0, "order.placed", |d| items(d, &["1", "2"]))];
    events.push(event(1, "fulfilment.packed", parcel("P1", "X1", &["1"])));
    events.push(event(9, "shipment.lost", scan("X1")));
    events.push(event(10, "shipment.delivered", scan("X2")));
    let timeline = fold(&order(), &events).unwrap();
    assert_eq!(timeline.items[0].status.code(), "shipment.lost");
}

#[test]
fn lines_that_have_other_numbers_by_now_are_in_the_parcel_all_the_same() {
    let mut events = plain()[..6].to_vec();
    events.push(event(11, "order.placed", |d| items(d, &["7"])));
    events.push(event(20, "shipment.delivered", scan("X1")));
    let timeline = fold(&order(), &events).unwrap();
    assert_eq!((timeline.status.code(), timeline.terminal), ("shipment.delivered", true));
    assert!(timeline.shipments[0].items.is_empty(), "the order has no such line");
}

#[test]
fn what_goes_back_waits_for_the_shop_and_may_be_brought_once_more() {
    let back = |code: &str| {
        event(13, code, |d| {
            scan("X1")(d);
            d.data.step_back = true;
        })
    };
    let mut events = plain()[..6].to_vec();
    events.push(event(12, "shipment.returning", scan("X1")));
    let with = |code: &str| status_of(&[&events[..], &[back(code)]].concat());
    assert_eq!(with("shipment.available_for_pickup"), "shipment.returning");
    assert_eq!(with("shipment.in_transit"), "shipment.returning");
    assert_eq!(with("shipment.attempt_failed"), "shipment.attempt_failed");
}

#[test]
fn what_is_made_again_takes_back_no_parcel_that_is_on_its_way() {
    let again = event(25, "production.qc_failed", |d| {
        d.data.line = Some("1".into());
        d.data.step_back = true;
    });
    let with = |events: &[OrderEvent]| status_of(&[events, std::slice::from_ref(&again)].concat());
    assert_eq!(with(&plain()[..6]), "production.qc_failed", "it was packed");
    let mut sent = plain()[..6].to_vec();
    sent.push(event(12, "shipment.handed_over", scan("X1")));
    assert_eq!(with(&sent), "shipment.handed_over");
}
