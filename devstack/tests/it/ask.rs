//! Systems that are asked: a carrier that calls nobody, and one that calls without signing.

use chrono::TimeDelta;
use devstack::testing::{Stack, unique};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use service_kit::clock;
use std::time::Duration;
use tokio::time::Instant;

const LIMIT: Duration = Duration::from_secs(30);

fn client() -> Client {
    Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap()
}

/// What a vendor knows of a number from now on.
async fn knows(stack: &Stack, source: &str, subject: &str, answer: &Value) {
    let url = format!("{}/vendors/{source}/{subject}", stack.manifest.fakes);
    let answer = client().put(url).json(answer).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
}

async fn asked(stack: &Stack, source: &str, subject: &str) -> u64 {
    let url = format!("{}/vendors/{source}/{subject}", stack.manifest.fakes);
    let answer: Value = client().get(url).send().await.unwrap().json().await.unwrap();
    answer["asked"].as_u64().unwrap()
}

async fn place(stack: &Stack, order: &str, carrier: &str, parcel: &str) {
    let at = clock::now() - TimeDelta::hours(3);
    let placed = json!({"event": "order.placed", "order_no": order, "at": at.to_rfc3339(),
        "customer": {"id": format!("C-{order}"), "locale": "vi"},
        "items": [{"line": "1", "sku": "MUG", "title": "Cốc", "quantity": 1}]});
    stack.say("source.shop", &placed).await.unwrap();
    let local = (at + TimeDelta::hours(8)).format("%d/%m/%Y %H:%M:%S").to_string();
    let label = json!({"id": unique("f"), "order": order, "status": "LABEL_CREATED", "parcel": "P1",
        "lines": [{"line": "1", "qty": 1}], "carrier": carrier, "tracking_code": parcel, "updated": local});
    stack.say("source.fulfilment", &label).await.unwrap();
}

/// Waits until the timeline fits.
async fn until(stack: &Stack, order: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + LIMIT;
    loop {
        let timeline = stack.rest.timeline(order).await.unwrap().unwrap_or_default();
        if fits(&timeline) {
            return timeline;
        }
        assert!(Instant::now() < end, "{timeline}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_carrier_that_calls_nobody_is_asked_until_the_parcel_is_there() {
    let stack = Stack::running().unwrap();
    let (order, parcel) = (unique("ASK"), unique("H").to_uppercase());
    let at = |minutes: i64| (clock::now() - TimeDelta::minutes(minutes)).to_rfc3339();
    let mut scans = vec![json!({"parcel": parcel, "what": "IN", "when": at(60), "where": "Huế"})];
    knows(&stack, "heron", &parcel, &json!({"scans": scans})).await;
    place(&stack, &order, "heron", &parcel).await;
    until(&stack, &order, |t| t["status"] == "shipment.handed_over").await;
    scans.push(json!({"parcel": parcel, "what": "OUT", "when": at(30)}));
    knows(&stack, "heron", &parcel, &json!({"scans": scans})).await;
    until(&stack, &order, |t| t["status"] == "shipment.out_for_delivery").await;
    scans.push(json!({"parcel": parcel, "what": "DONE", "when": at(5)}));
    knows(&stack, "heron", &parcel, &json!({"scans": scans})).await;
    let timeline = until(&stack, &order, |t| t["status"] == "shipment.delivered").await;
    let last = timeline["entries"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["source"], &last["confidence"]), (&json!("heron"), &json!("confirmed")));
    // Every record repeats what was there before; each scan is told once.
    let told = timeline["entries"].as_array().unwrap().iter().filter(|e| e["source"] == "heron");
    assert_eq!(told.count(), 3);
    // Another parcel is asked about in the meantime, this one no more.
    let done = asked(&stack, "heron", &parcel).await;
    let other = unique("H").to_uppercase();
    place(&stack, &unique("ASK"), "heron", &other).await;
    knows(&stack, "heron", &other, &json!({"scans": []})).await;
    let end = Instant::now() + LIMIT;
    while asked(&stack, "heron", &other).await < 2 {
        assert!(Instant::now() < end, "the other parcel is not asked about");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(asked(&stack, "heron", &parcel).await, done);
}

#[tokio::test]
async fn a_delivery_that_nobody_signed_is_asked_about_and_confirmed() {
    let stack = Stack::running().unwrap();
    let (order, parcel) = (unique("PULL"), unique("G").to_uppercase());
    place(&stack, &order, "ghn", &parcel).await;
    let time = (clock::now() - TimeDelta::minutes(9)).to_rfc3339();
    let logged = (clock::now() - TimeDelta::minutes(8)).to_rfc3339();
    let detail = |status: &str| {
        json!({"order_code": parcel, "client_order_code": order, "status": status,
            "log": [{"status": status, "updated_date": logged}]})
    };
    knows(&stack, "ghn", &parcel, &detail("delivered")).await;
    let body = json!({"OrderCode": parcel, "ClientOrderCode": order, "Status": "delivered",
        "Type": "switch_status", "Time": time});
    let secret = &stack.manifest.webhook_secrets["ghn"];
    let url = format!("{}/v1/webhooks/ghn/{secret}", stack.manifest.gateways[0]);
    let taken = client().post(url).body(body.to_string()).send().await.unwrap();
    assert_eq!(taken.status(), StatusCode::OK);
    let confirmed = |timeline: &Value| {
        timeline["entries"].as_array().is_some_and(|entries| {
            let told = entries.iter().filter(|e| e["milestone"] == "shipment.delivered");
            told.map(|e| e["confidence"].as_str()).collect::<Vec<_>>() == [Some("confirmed")]
        })
    };
    let timeline = until(&stack, &order, confirmed).await;
    assert_eq!(timeline["status"], "shipment.delivered");
    assert_eq!(asked(&stack, "ghn", &parcel).await, 1);
}

/// A maker that does not sign says that a parcel left; it is asked, and says when.
#[tokio::test]
async fn a_parcel_that_a_maker_reports_is_asked_about_and_confirmed() {
    let stack = Stack::running().unwrap();
    let (order, tracking) = (unique("PF"), unique("US").to_uppercase());
    let at = clock::now() - TimeDelta::hours(3);
    let placed = json!({"event": "order.placed", "order_no": order, "at": at.to_rfc3339(),
        "customer": {"id": format!("C-{order}")}, "items": [{"line": "1", "sku": "TEE", "quantity": 1}]});
    stack.say("source.shop", &placed).await.unwrap();
    let (made, left) = (at.timestamp(), (at + TimeDelta::hours(1)).timestamp());
    let known = json!({"id": 13, "external_id": order, "status": "fulfilled", "created": made, "updated": left,
        "shipments": [{"id": 7, "carrier": "USPS", "service": "First Class", "tracking_number": tracking,
            "tracking_url": "https://example.com", "created": left, "shipped_at": left,
            "items": [{"item_id": 1, "quantity": 1}]}]});
    knows(&stack, "printful", &order, &known).await;
    let called = json!({"type": "package_shipped", "created": left + 60, "retries": 0, "store": 1,
        "data": {"shipment": known["shipments"][0], "order": {"id": 13, "external_id": order,
            "status": "fulfilled", "created": made, "updated": left}}});
    let secret = &stack.manifest.webhook_secrets["printful:address"];
    let url = format!("{}/v1/webhooks/printful/{secret}", stack.manifest.gateways[0]);
    let taken = client().post(url).body(called.to_string()).send().await.unwrap();
    assert_eq!(taken.status(), StatusCode::OK);
    let confirmed = |timeline: &Value| {
        timeline["entries"].as_array().is_some_and(|entries| {
            let told = entries.iter().filter(|e| e["milestone"] == "shipment.handed_over");
            told.map(|e| e["confidence"].as_str()).collect::<Vec<_>>() == [Some("confirmed")]
        })
    };
    until(&stack, &order, confirmed).await;
    assert_eq!(asked(&stack, "printful", &order).await, 1);
}
