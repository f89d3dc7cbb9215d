//! What nobody should send: refused or made harmless by name, and nothing after it waits.

use devstack::testing::{Stack, find_record, unique};
use serde_json::{Value, json};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

fn placed(order: &str, name: &str) -> Value {
    json!({"event": "order.placed", "order_no": order, "at": service_kit::clock::now().to_rfc3339(),
           "customer": {"id": format!("C-{order}"), "name": name, "email": format!("{order}@example.com"), "locale": "vi"},
           "items": [{"line": "1", "sku": "S", "title": name, "quantity": 1}]})
}

/// Records that are refused, and the reasons.
fn refused(mark: &str) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let at = |time: &str, order: &str, event: &str| {
        json!({"event": event, "order_no": order, "at": time, "mark": mark})
            .to_string()
            .into_bytes()
    };
    let good = "2026-11-20T01:00:00Z";
    let nul = json!({"event": "order.on_hold", "order_no": mark, "at": good, "reason": "a\u{0}b"});
    let mut large = format!("{{\"mark\":\"{mark}\",\"text\":\"").into_bytes();
    large.resize(2 * 1024 * 1024, b'x');
    large.extend(b"\"}");
    vec![
        ("source.shop", format!("this is no JSON {mark}").into_bytes(), "not_json"),
        ("source.shop", large, "too_large"),
        ("source.shop", nul.to_string().into_bytes(), "nul_character"),
        ("source.shop", at(good, mark, "order.teleported"), "unknown_status"),
        ("source.shop", at("0000-01-01T00:00:00Z", mark, "order.confirmed"), "bad_time"),
        ("source.shop", at("9999-12-31T23:59:59Z", mark, "order.confirmed"), "bad_time"),
        ("source.shop", at(good, &"9".repeat(500), "order.confirmed"), "bad_id"),
        ("source.shop", at(good, "TM\u{7}1", "order.confirmed"), "bad_id"),
        ("source.payment", format!("[\"{mark}\"]").into_bytes(), "shape"),
    ]
}

#[tokio::test]
async fn records_that_cannot_be_read_go_to_the_dead_letters_untouched_and_nothing_waits_for_them() {
    let stack = Stack::running().unwrap();
    let (mark, order) = (unique("BAD"), unique("AFTER"));
    let admin = &stack.manifest.admin.aggregator;
    let before = stack.metric(admin, "aggregator_refused_total", "").await.unwrap();
    let records = refused(&mark);
    for (topic, value, _) in &records {
        stack.send(topic, value.clone()).await.unwrap();
    }
    stack.say("source.shop", &placed(&order, "Sau lỗi")).await.unwrap();
    stack.rest.wait_version(&order, 1, LIMIT).await.unwrap();
    for (_, value, reason) in records {
        let wanted = value.clone();
        let brokers = &stack.manifest.kafka_brokers;
        let found = find_record(brokers, "source.dead-letter", LIMIT, move |v| v == wanted).await;
        let headers = found.unwrap_or_else(|error| panic!("{reason}: {error}")).headers;
        assert_eq!(headers["reason"], reason);
        for name in ["source", "detail", "topic", "partition", "offset", "received-at"] {
            assert!(headers.contains_key(name), "{name}");
        }
    }
    let after = stack.metric(admin, "aggregator_refused_total", "").await.unwrap();
    assert!(after - before >= 9.0, "refusals are counted");
}

#[tokio::test]
async fn a_name_cannot_write_a_header_a_page_or_a_book() {
    let stack = Stack::running().unwrap();
    let admin = &stack.manifest.admin.aggregator;
    for (name, harmless) in [
        ("Bích\r\nBcc: all@example.com".to_owned(), "Chào Bích Bcc: all@example.com,".to_owned()),
        ("ă".repeat(10_000), format!("Chào {},", "ă".repeat(64))),
        ("<script>alert(1)</script>".to_owned(), "&lt;script&gt;".to_owned()),
    ] {
        let order = unique("NAME");
        let before = stack.metric(admin, "aggregator_texts_cleaned_total", "").await.unwrap();
        stack.say("source.shop", &placed(&order, &name)).await.unwrap();
        let confirmed = json!({"event": "order.confirmed", "order_no": order, "at": service_kit::clock::now().to_rfc3339()});
        stack.say("source.shop", &confirmed).await.unwrap();
        let letter = stack
            .rest
            .wait_letter(&format!("{order}@example.com"), "order.confirmed", LIMIT)
            .await
            .unwrap();
        let html = letter.message["html"].as_str().unwrap();
        assert!(!html.contains("<script>alert"), "{html}");
        assert!(
            html.contains(&harmless)
                || letter.message["text"].as_str().unwrap().contains(&harmless),
            "{harmless}"
        );
        assert!(letter.message["headers"].get("Bcc").is_none());
        let after = stack.metric(admin, "aggregator_texts_cleaned_total", "").await.unwrap();
        assert!(after > before, "cleaning is counted");
    }
}

#[tokio::test]
async fn an_event_waits_for_its_order_and_for_its_tracking_number() {
    let stack = Stack::running().unwrap();
    let (order, tracking) = (unique("LATE"), unique("TRK"));
    let now = service_kit::clock::now();
    let scan = json!({"id": unique("lg"), "carrier": "ghn", "tracking_number": tracking, "code": "in_transit",
                      "ts": now.timestamp(), "order_ref": null});
    stack.say("source.logistics", &scan).await.unwrap();
    let local = (now + chrono::TimeDelta::hours(7)).format("%d/%m/%Y %H:%M:%S").to_string();
    let packed = json!({"id": unique("F"), "order": order, "status": "PACKED", "parcel": "P1", "carrier": "ghn",
                        "lines": [{"line": "1", "qty": 1}], "tracking_code": tracking, "updated": local});
    stack.say("source.fulfilment", &packed).await.unwrap();
    assert!(stack.rest.timeline(&order).await.unwrap().is_none(), "nobody has placed it yet");
    stack.say("source.shop", &placed(&order, "Muộn")).await.unwrap();
    let timeline = stack.rest.wait_version(&order, 3, LIMIT).await.unwrap();
    assert_eq!(timeline["status"], "shipment.in_transit");
    assert_eq!(timeline["shipments"][0]["tracking_number"], tracking.as_str());
}
