//! A history in the five native forms, seen by everybody who watches.

use chrono::{DateTime, TimeDelta, Utc};
use devstack::client::{LiveClient, StreamClient};
use devstack::testing::{Stack, unique};
use serde_json::{Value, json};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(20);

fn start() -> DateTime<Utc> {
    service_kit::clock::now() - TimeDelta::hours(6)
}

/// Twelve records of one order, half an hour apart; all of them count.
fn twelve(order: &str, customer: &str, locale: &str) -> Vec<(&'static str, Value)> {
    let at = |n: i64| start() + TimeDelta::minutes(30 * n);
    let iso = |n| at(n).to_rfc3339();
    let local = |n| (at(n) + TimeDelta::hours(7)).format("%d/%m/%Y %H:%M:%S").to_string();
    let tracking = format!("TR-{order}");
    let work = |n, stage, state, sequence| {
        json!({"workOrderId": format!("WO-{order}"), "orderNumber": order, "lineItemId": "1", "stage": stage,
               "state": state, "station": "Laser 1", "at": iso(n), "sequence": sequence, "reason": null})
    };
    let pack = |n, status| {
        json!({"id": format!("F-{order}-{status}"), "order": order, "status": status, "parcel": "P1",
               "lines": [{"line": "1", "qty": 1}], "carrier": "ghn", "tracking_code": tracking, "updated": local(n)})
    };
    let scan = |n, code: &str| {
        json!({"id": format!("lg-{order}-{code}"), "carrier": "ghn", "tracking_number": tracking, "code": code,
               "ts": at(n).timestamp(), "location": {"name": "Kho Thủ Đức"}, "eta": null, "order_ref": null})
    };
    vec![
        (
            "source.shop",
            json!({"event": "order.placed", "order_no": order, "at": iso(0),
            "customer": {"id": customer, "name": "Phạm Thị Lan", "email": format!("{customer}@example.com"),
                         "locale": locale, "time_zone": "Asia/Ho_Chi_Minh"},
            "items": [{"line": "1", "sku": "PEN-02", "title": "Bút gỗ khắc tên", "quantity": 1}],
            "promise": {"latest": "2027-12-31"}}),
        ),
        (
            "source.payment",
            json!({"event_id": format!("p-{order}"), "type": "captured", "order_no": order,
            "amount": 219_000, "currency": "VND", "occurred_at_ms": at(1).timestamp_millis()}),
        ),
        ("source.shop", json!({"event": "order.confirmed", "order_no": order, "at": iso(2)})),
        ("source.manufacturing", work(3, "ENGRAVING", "QUEUED", 1)),
        ("source.manufacturing", work(4, "ENGRAVING", "STARTED", 2)),
        ("source.manufacturing", work(5, "QC", "FINISHED", 3)),
        ("source.fulfilment", pack(6, "PACKED")),
        ("source.fulfilment", pack(7, "LABEL_CREATED")),
        ("source.fulfilment", pack(8, "HANDED_OVER")),
        ("source.logistics", scan(9, "in_transit")),
        ("source.logistics", scan(10, "out_for_delivery")),
        ("source.logistics", scan(11, "delivered")),
    ]
}

const LETTERS: [(&str, &str); 5] = [
    ("order.confirmed", "Đơn hàng đã được xác nhận"),
    ("production.started", "Xưởng đang làm quà của bạn"),
    ("production.finished", "Quà của bạn đã làm xong"),
    ("shipment.handed_over", "GHN đã nhận kiện hàng"),
    ("shipment.delivered", "Quà đã được giao"),
];

#[tokio::test]
async fn each_record_is_a_version_on_both_gateways_on_sse_and_in_rest_and_letters_follow() {
    let stack = Stack::running().unwrap();
    let (order, customer) = (unique("HIST"), unique("C"));
    let token = stack.rest.token(&customer, &[&order]).await.unwrap();
    let channel = format!("order:{order}");
    let mut pages = Vec::new();
    for gateway in &stack.manifest.gateways {
        let mut page = LiveClient::connect(gateway, &token).await.unwrap();
        page.subscribe(&channel, None).await.unwrap();
        pages.push(page);
    }
    let mut stream =
        StreamClient::connect(&stack.manifest.gateways[0], &token, &channel).await.unwrap();
    let email = format!("{customer}@example.com");
    for ((topic, value), version) in twelve(&order, &customer, "vi").iter().zip(1..) {
        stack.say(topic, value).await.unwrap();
        for page in &mut pages {
            assert_eq!(
                page.wait_version(&channel, version, LIMIT).await.unwrap().version(),
                version
            );
        }
        assert_eq!(stream.wait_version(version, LIMIT).await.unwrap().version(), version);
        let timeline = stack.rest.wait_version(&order, version, LIMIT).await.unwrap();
        let newest = timeline["entries"].as_array().unwrap().last().unwrap()["milestone"].clone();
        if let Some((milestone, subject)) =
            LETTERS.iter().find(|(milestone, _)| newest == *milestone)
        {
            let letter = stack.rest.wait_letter(&email, milestone, LIMIT).await.unwrap();
            assert!(letter.message["subject"].as_str().unwrap().starts_with(subject), "{letter:?}");
            assert_eq!((letter.order(), letter.accepts), (order.as_str(), 1));
            assert!(letter.message["text"].as_str().unwrap().contains("Chào Phạm Thị Lan"));
        }
    }
    assert!(stream.last_id.ends_with("@12"), "{}", stream.last_id);
    let timeline = stack.rest.timeline(&order).await.unwrap().unwrap();
    assert_eq!(
        (timeline["status"].as_str(), timeline["terminal"].as_bool()),
        (Some("shipment.delivered"), Some(true))
    );
    assert_eq!(timeline["shipments"][0]["id"], "P1");
    let text = timeline.to_string();
    assert!(!text.contains("Lan") && !text.contains("@example.com"), "personal data in a timeline");
    assert_eq!(stack.rest.letters(Some(&email)).await.unwrap().len(), LETTERS.len());
}

#[tokio::test]
async fn all_at_once_tells_the_newest_and_nothing_twice_in_the_customers_language() {
    let stack = Stack::running().unwrap();
    let (order, customer) = (unique("ONCE"), unique("C"));
    let records = twelve(&order, &customer, "en");
    for _ in 0..3 {
        for (topic, value) in records.iter().rev() {
            stack.say(topic, value).await.unwrap();
        }
    }
    stack.rest.wait_version(&order, 12, LIMIT).await.unwrap();
    let email = format!("{customer}@example.com");
    let letter = stack.rest.wait_letter(&email, "shipment.delivered", LIMIT).await.unwrap();
    assert!(
        letter.message["subject"].as_str().unwrap().starts_with("Your gift has been delivered")
    );
    let token = stack.rest.token(&customer, &[&order]).await.unwrap();
    let end = tokio::time::Instant::now() + LIMIT;
    loop {
        let items = stack.rest.inbox(&token).await.unwrap()["items"].as_array().unwrap().len();
        if items == 7 {
            break;
        }
        assert!(
            items < 7 && tokio::time::Instant::now() < end,
            "the feed has {items} items, not 7"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // The feed is written with the letters' rows: a later order's letter says that these are sent.
    let (marker, other) = (unique("MARK"), unique("C"));
    for (topic, value) in &twelve(&marker, &other, "en")[..3] {
        stack.say(topic, value).await.unwrap();
    }
    let other = format!("{other}@example.com");
    stack.rest.wait_letter(&other, "order.confirmed", LIMIT).await.unwrap();
    let mut milestones: Vec<String> = stack
        .rest
        .letters(Some(&email))
        .await
        .unwrap()
        .iter()
        .map(|l| l.milestone().to_owned())
        .collect();
    milestones.sort();
    let count = milestones.len();
    milestones.dedup();
    assert_eq!(milestones.len(), count);
}

#[tokio::test]
async fn a_letter_that_the_server_cannot_take_now_is_sent_again_as_the_same_letter() {
    let stack = Stack::running().unwrap();
    let (order, customer) = (unique("RETRY"), unique("C"));
    let email = format!("{customer}@example.com");
    let busy = json!({"status": 451, "body": "4.3.0 try later"});
    let lost = json!({"drop": "after_accept"});
    stack
        .rest
        .script("smtp", &json!({"recipient": email, "responses": [busy, lost]}))
        .await
        .unwrap();
    for (topic, value) in &twelve(&order, &customer, "vi")[..3] {
        stack.say(topic, value).await.unwrap();
    }
    let first = stack.rest.wait_letter(&email, "order.confirmed", LIMIT).await.unwrap();
    let end = tokio::time::Instant::now() + LIMIT;
    loop {
        let letters = stack.rest.letters(Some(&email)).await.unwrap();
        assert_eq!(letters.len(), 1, "another letter instead of the same one");
        assert_eq!(letters[0].dedupe, first.dedupe);
        if letters[0].accepts == 2 {
            break;
        }
        assert!(tokio::time::Instant::now() < end, "it was not sent again after the lost answer");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
