//! What is over, and what was over for a while.

use super::*;
use contract::event::EtaRange;

#[test]
fn one_parcel_has_one_number_and_may_have_many_names() {
    let platform = |name: &str| {
        let name = name.to_owned();
        move |d: &mut Draft| {
            parcel(&name, "X1", &["1"])(d);
            d.source = "platform".to_owned();
        }
    };
    let mut events = plain();
    events.insert(6, event(11, "shipment.label_created", platform("5551")));
    events.push(event(12, "shipment.handed_over", |d| d.data.shipment = Some("5551".into())));
    let timeline = fold(&order(), &events).unwrap();
    let ids: Vec<&str> = timeline.shipments.iter().map(|parcel| parcel.id.as_str()).collect();
    assert_eq!((ids, timeline.status.code()), (vec!["P1"], "shipment.delivered"));
    // What is no number joins nobody, and one that was mistaken does not stay.
    let apart = |number: &str, then: Option<&str>| {
        let mut events = vec![event(0, "order.placed", |d| items(d, &["1", "2"]))];
        events.push(event(1, "shipment.label_created", parcel("A", "X1", &["1"])));
        events.push(event(2, "shipment.label_created", parcel("B", number, &["2"])));
        if let Some(then) = then {
            events.push(event(3, "shipment.in_transit", parcel("B", then, &["2"])));
        }
        events.push(event(4, "shipment.delivered", |d| d.data.shipment = Some("A".into())));
        fold(&order(), &events).unwrap().shipments.len()
    };
    assert_eq!((apart("X1", None), apart("X1", Some("X2")), apart("local", None)), (1, 2, 2));
    // A number that is told late joins what had two names.
    let late = [
        event(0, "order.placed", |d| items(d, &["1"])),
        event(1, "shipment.label_created", parcel("A", "X1", &[])),
        event(2, "shipment.label_created", parcel("B", "X2", &[])),
        event(3, "shipment.in_transit", parcel("B", "X1", &[])),
        event(4, "shipment.delivered", scan("X2")),
    ];
    let timeline = fold(&order(), &late).unwrap();
    assert_eq!((timeline.shipments.len(), timeline.status.code()), (1, "shipment.delivered"));
}

#[test]
fn what_ended_worst_tells_and_what_was_called_off_only_alone() {
    let mut events = vec![event(0, "order.placed", |d| items(d, &["1", "2"]))];
    events.push(event(10, "fulfilment.packed", parcel("P1", "X1", &["1"])));
    events.push(event(11, "fulfilment.packed", parcel("P2", "X2", &["2"])));
    events.push(event(20, "shipment.delivered", scan("X1")));
    let ended = |code: &str| {
        let mut events = events.clone();
        events.push(event(21, code, scan("X2")));
        let timeline = fold(&order(), &events).unwrap();
        assert!(timeline.terminal && timeline.progress.delivered == 1, "{code}");
        timeline.status.code()
    };
    assert_eq!(ended("shipment.lost"), "shipment.lost");
    assert_eq!(ended("shipment.returned"), "shipment.returned");
    assert_eq!(ended("order.cancelled"), "shipment.delivered");
}

#[test]
fn a_correction_of_something_else_reopens_nothing() {
    let corrected = |what: &str| {
        let what = Some(what.to_owned());
        event(31, "shipment.in_transit", move |d| {
            scan("X1")(d);
            d.data.corrects = what;
        })
    };
    let mut events = plain();
    events.push(event(20, "shipment.in_transit", scan("X1")));
    let with = |what: &str| {
        let mut events = events.clone();
        events.push(corrected(what));
        status_of(&events)
    };
    assert_eq!(with("shipment.in_transit@20"), "shipment.delivered");
    assert_eq!(with("nothing"), "shipment.delivered");
    assert_eq!(with("shipment.delivered@30"), "shipment.in_transit");
}

#[test]
fn a_report_that_was_believed_and_is_contradicted_late_is_contradicted() {
    let report = |hour, code: &str, sure: Confidence| {
        event(hour, code, move |d| {
            scan("X1")(d);
            (d.data.confidence, d.data.step_back) = (sure, sure == Confidence::Confirmed);
        })
    };
    let belief = event(22, "shipment.delivered", |d| {
        d.source = DERIVED_SOURCE.to_owned();
        (d.data.shipment, d.data.confidence) = (Some("P1".into()), Confidence::Predicted);
    });
    let mut events = plain()[..6].to_vec();
    events.push(report(20, "shipment.delivered", Confidence::Reported));
    events.push(belief);
    assert_eq!(status_of(&events), "shipment.delivered");
    events.push(report(21, "shipment.attempt_failed", Confidence::Confirmed));
    assert_eq!(status_of(&events), "shipment.attempt_failed");
    // The next day's is another report, which nobody has believed yet.
    events.push(report(44, "shipment.delivered", Confidence::Reported));
    let entries = fold(&order(), &events).unwrap().entries;
    let delivered = entries.iter().filter(|e| e.milestone == Milestone::ShipmentDelivered);
    let sureness: Vec<Confidence> = delivered.map(|entry| entry.confidence).collect();
    assert_eq!(sureness, [Confidence::Predicted, Confidence::Reported]);
}

#[test]
fn a_belief_is_of_its_parcel_whatever_it_is_called_later() {
    let mut events = vec![event(0, "order.placed", |d| items(d, &["1"]))];
    events.push(event(20, "shipment.delivered", |d| {
        scan("X1")(d);
        d.data.confidence = Confidence::Reported;
    }));
    events.push(event(22, "shipment.delivered", |d| {
        d.source = DERIVED_SOURCE.to_owned();
        (d.data.shipment, d.data.confidence) = (Some("X1".into()), Confidence::Predicted);
    }));
    events.push(event(10, "fulfilment.packed", parcel("P1", "X1", &[])));
    let timeline = fold(&order(), &events).unwrap();
    assert_eq!((timeline.shipments.len(), timeline.status.code()), (1, "shipment.delivered"));
    let delivered = timeline.entries.last().unwrap();
    assert_eq!(delivered.confidence, Confidence::Predicted);
}

#[test]
fn an_order_that_is_held_before_it_is_confirmed_is_not_confirmed() {
    let mut events = plain()[..1].to_vec();
    events.push(event(1, "order.on_hold", |_| ()));
    let timeline = fold(&order(), &events).unwrap();
    assert_eq!(timeline.status.code(), "order.on_hold");
    let states: Vec<StepState> = timeline.steps.iter().map(|step| step.state).collect();
    assert_eq!(states[..2], [StepState::Current, StepState::Ahead]);
}

#[test]
fn what_a_carrier_told_counts_until_it_is_over() {
    let day = |day: i64| start() + TimeDelta::days(day);
    let told = |hour: i64, source: &str, until: i64| {
        let (source, eta) = (source.to_owned(), EtaRange { earliest: day(0), latest: day(until) });
        event(hour, "eta.revised", move |d| {
            d.source = source;
            d.data.eta = Some(eta);
        })
    };
    let latest = |events: &[OrderEvent]| fold(&order(), events).unwrap().eta.unwrap().range.latest;
    let mut events = plain()[..6].to_vec();
    events.push(told(12, "carrier", 2));
    events.push(told(13, DERIVED_SOURCE, 5));
    assert_eq!(latest(&events), day(2), "the carrier knows better");
    events.push(told(49, DERIVED_SOURCE, 6));
    assert_eq!(latest(&events), day(6), "nobody came within the carrier's range");
    events.push(told(50, "carrier", 4));
    assert_eq!(latest(&events), day(4));
}
