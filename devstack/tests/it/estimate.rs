//! What the shop's own finished orders say of the next one.

use crate::tool::tool;
use chrono::{DateTime, TimeDelta, Utc};
use devstack::testing::{Stack, unique};
use serde_json::{Value, json};
use service_kit::clock;
use service_kit::kafka::Outgoing;
use std::time::Duration;
use tokio::time::Instant;

/// The smallest number of orders that says something.
const FLOOR: i64 = 30;
const LIMIT: Duration = Duration::from_mins(1);

/// An order to a country where nobody else's goes, so that nothing else is learned of it.
async fn place(stack: &Stack, order: &str, country: &str, at: DateTime<Utc>) {
    let promise = (at + TimeDelta::days(30)).date_naive().to_string();
    let placed = json!({"event": "order.placed", "order_no": order, "at": at.to_rfc3339(),
        "customer": {"id": format!("C-{order}"), "time_zone": "Asia/Ho_Chi_Minh"}, "promise": {"latest": promise},
        "destination": {"province": "X", "country": country},
        "items": [{"line": "1", "sku": format!("SKU-{country}"), "title": "Cốc", "quantity": 1}]});
    stack.say("source.shop", &placed).await.unwrap();
}

async fn confirm(stack: &Stack, order: &str, at: DateTime<Utc>) {
    let said = json!({"event": "order.confirmed", "order_no": order, "at": at.to_rfc3339()});
    stack.say("source.shop", &said).await.unwrap();
}

/// Confirmed after an hour, on the machine at 10, made at 30, handed over at 35, there at 83.
async fn live(stack: &Stack, order: &str, country: &str, start: DateTime<Utc>) {
    let after = |hours: i64| start + TimeDelta::hours(hours);
    place(stack, order, country, start).await;
    confirm(stack, order, after(1)).await;
    for (sequence, stage, state, hours) in
        [(1, "PRINTING", "STARTED", 10), (2, "QC", "FINISHED", 30)]
    {
        let work = json!({"workOrderId": format!("W-{order}"), "orderNumber": order, "lineItemId": "1",
            "stage": stage, "state": state, "at": after(hours).to_rfc3339(), "sequence": sequence});
        stack.say("source.manufacturing", &work).await.unwrap();
    }
    for (code, hours) in [("handed_over", 35), ("delivered", 83)] {
        let scan = json!({"id": format!("{order}-{code}"), "carrier": "ghn", "tracking_number": format!("T-{order}"),
            "code": code, "ts": after(hours).timestamp(), "order_ref": order});
        stack.say("source.logistics", &scan).await.unwrap();
    }
}

#[tokio::test]
async fn an_order_is_expected_when_those_like_it_came() {
    let stack = Stack::running().unwrap();
    let country = unique("Z");
    let start = clock::now() - TimeDelta::days(20);
    for number in 0..FLOOR {
        let order = unique("PAST");
        live(&stack, &order, &country, start + TimeDelta::minutes(number)).await;
    }
    // What is learned ten minutes after the last news in earnest, is learned in seconds here;
    // until then a new step of the order asks for another estimate.
    let (order, now) = (unique("NEXT"), clock::now());
    place(&stack, &order, &country, now - TimeDelta::hours(2)).await;
    let end = Instant::now() + LIMIT;
    let mut step = 0;
    let timeline: Value = loop {
        confirm(&stack, &order, now - TimeDelta::hours(1) + TimeDelta::seconds(step)).await;
        step += 1;
        // An order is only estimated once it has been quiet for a while.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let timeline = stack.rest.timeline(&order).await.unwrap().unwrap_or_default();
        if timeline["eta"].is_object() {
            break timeline;
        }
        assert!(Instant::now() < end, "{timeline}");
    };
    assert_eq!(timeline["eta"]["source"], "estimate");
    // 82 hours after the confirmation: on that day, from the morning on.
    let there = now + TimeDelta::hours(81);
    let range =
        |name: &str| timeline["eta"][name].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    assert!(range("latest") >= there && range("latest") < there + TimeDelta::days(1), "{timeline}");
    assert_eq!((range("latest") - range("earliest")).num_hours(), 15, "{timeline}");
    // It stands in the history of the ETA, not among what happened.
    let entries = timeline["entries"].as_array().unwrap();
    assert!(entries.iter().all(|entry| entry["source"] != "milepost"), "{timeline}");
    // What the carrier says counts before it. Its clock knows whole seconds alone: the one that is
    // running began before the estimate.
    let (first, last) = (now + TimeDelta::hours(60), now + TimeDelta::hours(64));
    let said = clock::now().timestamp() + 1;
    let scan = json!({"id": format!("{order}-eta"), "carrier": "ghn", "tracking_number": format!("T-{order}"),
        "code": "eta_revised", "ts": said, "order_ref": order,
        "eta": {"earliest": first.to_rfc3339(), "latest": last.to_rfc3339()}});
    stack.say("source.logistics", &scan).await.unwrap();
    let end = Instant::now() + LIMIT;
    loop {
        let timeline = stack.rest.timeline(&order).await.unwrap().unwrap_or_default();
        if timeline["eta"]["source"] == "carrier" {
            let sources: Vec<&Value> = timeline["eta"]["history"]
                .as_array()
                .unwrap()
                .iter()
                .map(|e| &e["source"])
                .collect();
            assert_eq!(sources.last().copied(), Some(&json!("carrier")));
            assert_eq!(sources[0], "estimate");
            break;
        }
        assert!(Instant::now() < end, "{timeline}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stands_still_for_longer_than_usual(&stack).await;
    // What was said of it is held against its coming, which is later by its clock too.
    let there = (clock::now().timestamp() + 1).max(said + 1);
    let scan = json!({"id": format!("{order}-there"), "carrier": "ghn", "tracking_number": format!("T-{order}"),
        "code": "delivered", "ts": there, "order_ref": order});
    stack.say("source.logistics", &scan).await.unwrap();
    let end = Instant::now() + LIMIT;
    while stack.rest.timeline(&order).await.unwrap().unwrap_or_default()["status"]
        != "shipment.delivered"
    {
        assert!(Instant::now() < end, "it is not delivered");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let table = tool(&stack, "calibrate", "").await;
    for by in ["estimate", "carrier"] {
        assert!(table.lines().any(|line| line.starts_with(by)), "{table}");
    }
}

/// Its printing was heard of five days ago; that of the others took twenty hours.
async fn stands_still_for_longer_than_usual(stack: &Stack) {
    let (order, long_ago) = (unique("STILL"), clock::now() - TimeDelta::days(5));
    let promise = (long_ago + TimeDelta::days(30)).date_naive().to_string();
    let placed = json!({"event": "order.placed", "order_no": order, "at": long_ago.to_rfc3339(),
        "customer": {"id": format!("C-{order}")}, "promise": {"latest": promise},
        "items": [{"line": "1", "title": "Cốc", "quantity": 1}]});
    let work = |sequence: i64, stage: &str| {
        json!({"workOrderId": format!("W-{order}"), "orderNumber": order,
        "lineItemId": "1", "stage": stage, "state": "STARTED", "sequence": sequence,
        "at": (long_ago + TimeDelta::minutes(sequence)).to_rfc3339()})
    };
    for (topic, value) in [("source.shop", placed), ("source.manufacturing", work(1, "PRINTING"))] {
        let record = Outgoing::new(topic, "", value.to_string());
        stack.producer.send(&[record.header("received-at", long_ago.to_rfc3339())]).await.unwrap();
    }
    let warning = warning(stack, &order, Option::is_some).await;
    assert_eq!(warning.unwrap()["reason"], "silence");
    stack.say("source.manufacturing", &work(2, "PRINTING")).await.unwrap();
    self::warning(stack, &order, Option::is_none).await;
}

/// The order's warning of a delay, once it is as wanted.
async fn warning(
    stack: &Stack,
    order: &str,
    wanted: impl Fn(&Option<Value>) -> bool,
) -> Option<Value> {
    let end = Instant::now() + LIMIT;
    loop {
        let timeline = stack.rest.timeline(order).await.unwrap().unwrap_or_default();
        let mut entries = timeline["entries"].as_array().into_iter().flatten();
        let warning = entries.find(|entry| entry["milestone"] == "delay.warning").cloned();
        if wanted(&warning) {
            return warning;
        }
        assert!(Instant::now() < end, "{timeline}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
