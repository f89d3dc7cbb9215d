//! Several parcels and lines of one order.

use super::*;

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
fn a_parcel_that_the_platform_called_off_was_never_sent() {
    let told = |hour: i64, code: &str, name: &str, number: &str| {
        event(hour, code, |d| {
            parcel(name, number, &["1"])(d);
            d.data.restates = true;
        })
    };
    let mut history = plain()[..3].to_vec();
    history.push(told(4, "shipment.label_created", "P1", "X1"));
    history.push(told(5, "order.cancelled", "P1", "X1"));
    let timeline = fold(&order(), &history).unwrap();
    assert_eq!((timeline.status.code(), timeline.terminal), ("order.confirmed", false));
    assert_eq!(timeline.shipments[0].status, Milestone::OrderCancelled);
    let mut same = history.clone();
    same.push(told(6, "shipment.label_created", "P2", "X1"));
    assert_eq!(status_of(&same), "shipment.label_created", "made again with the same number");
    let mut scanned = history.clone();
    scanned.push(event(6, "shipment.in_transit", scan("X1")));
    assert_eq!(status_of(&scanned), "shipment.in_transit", "it was sent after all");
    let mut void = history.clone();
    void.push(event(6, "shipment.label_created", scan("X1")));
    assert_eq!(status_of(&void), "order.confirmed", "the carrier tells of a label that is void");
    history.push(told(6, "shipment.label_created", "P2", "X2"));
    assert_eq!(status_of(&history), "shipment.label_created");
    history.push(event(7, "shipment.exception", scan("X1")));
    history.push(event(8, "shipment.in_transit", scan("X1")));
    history.push(event(9, "shipment.returned", scan("X1")));
    assert_eq!(status_of(&history), "shipment.label_created", "it was called back on its way");
    history.push(event(20, "shipment.delivered", scan("X2")));
    assert_eq!(status_of(&history), "shipment.delivered");
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

#[test]
fn a_parcel_that_is_there_is_waited_for_no_more() {
    let due = |day: i64| {
        let at = start() + TimeDelta::days(day);
        contract::event::EtaRange { earliest: at, latest: at }
    };
    let expected = |hour, number: Option<&str>, day| {
        let number = number.map(str::to_owned);
        event(hour, "eta.revised", move |draft| {
            (draft.data.tracking_number, draft.data.eta) = (number, Some(due(day)));
        })
    };
    let mut history = vec![event(0, "order.placed", |d| items(d, &["1", "2"]))];
    history.push(expected(1, None, 30));
    history.push(event(10, "fulfilment.packed", parcel("P1", "X1", &["1"])));
    let range = |history: &[OrderEvent]| fold(&order(), history).unwrap().eta.map(|eta| eta.range);
    assert_eq!(range(&history), Some(due(30)));
    history.push(expected(12, Some("X1"), 9));
    assert_eq!(range(&history), Some(due(30)), "line 2 is in no parcel yet");
    history.push(event(13, "shipment.delivered", scan("X1")));
    assert_eq!(range(&history), Some(due(30)), "a parcel that is there tells nothing of the rest");
    history.push(event(14, "fulfilment.packed", parcel("P2", "X2", &["2"])));
    history.push(expected(15, Some("X2"), 7));
    assert_eq!(range(&history), Some(due(7)), "what is said later of all that is left counts");
    history.push(event(30, "shipment.delivered", scan("X2")));
    assert_eq!(range(&history), Some(due(30)), "all is there: the latest that was said stays");
}

#[test]
fn days_are_the_customers_and_hours_are_nobodys() {
    let day = |text: &str| text.parse::<chrono::NaiveDate>().unwrap();
    let in_utc = crate::draft::Expected::days(day("2026-11-26"), day("2026-11-27"), chrono_tz::UTC);
    let hours = in_utc.unwrap().range;
    let zoned = |hour, zone: &str| {
        let zone = Some(zone.to_owned());
        event(hour, "order.placed", move |d| d.data.time_zone = zone)
    };
    let days = event(5, "eta.revised", move |d| d.expect(in_utc));
    let range = |history: &[OrderEvent]| fold(&order(), history).unwrap().eta.unwrap().range;
    // The order of arrival does not show: the zone is what was told last.
    for history in [
        [zoned(0, "Europe/Berlin"), zoned(1, "Asia/Ho_Chi_Minh"), days.clone()],
        [days, zoned(1, "Asia/Ho_Chi_Minh"), zoned(0, "Europe/Berlin")],
    ] {
        let range = range(&history);
        assert_eq!(range.earliest.to_rfc3339(), "2026-11-26T01:00:00+00:00");
        assert_eq!(range.latest.to_rfc3339(), "2026-11-27T16:59:59+00:00");
    }
    let told = event(5, "eta.revised", move |d| d.expect(Some(hours.into())));
    assert_eq!(range(&[zoned(0, "Asia/Ho_Chi_Minh"), told]), hours);
}
