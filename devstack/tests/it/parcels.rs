//! Orders that nobody calls by a name which others know: the parcel's number knows better, whoever speaks first.

use crate::operate::until;
use crate::slipped::parked;
use devstack::testing::{Stack, unique};
use serde_json::{Value, json};
use sqlx::PgPool;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

fn placed(order: &str) -> Value {
    json!({"event": "order.placed", "order_no": order, "at": "2026-11-20T01:00:00Z",
        "customer": {"id": format!("C-{order}")}, "items": [{"line": "1", "sku": "MUG", "title": "Cốc", "quantity": 1}]})
}

fn packed(order: &str, parcel: &str) -> Value {
    json!({"id": unique("pk"), "order": order, "status": "PACKED", "parcel": "P1",
        "lines": [{"line": "1", "qty": 1}], "carrier": "ghn", "tracking_code": parcel, "updated": "20/11/2026 16:00:00"})
}

/// Printify's event of an order that it has a number of its own for.
fn made(number: &str, kind: &str, data: &Value) -> Value {
    json!({"id": unique("hook"), "type": kind, "created_at": "2026-11-21 08:00:00+00:00",
        "resource": {"id": number, "type": "order", "data": data}})
}

fn sent(number: &str, parcel: &str) -> Value {
    let data = json!({"shop_id": 1, "shipped_at": "2026-11-22 01:00:00+00:00",
        "carrier": {"code": "GHN", "tracking_number": parcel}, "skus": ["MUG"]});
    made(number, "order:shipment:created", &data)
}

#[tokio::test]
async fn a_makers_own_number_is_told_by_the_parcel_whoever_speaks_first() {
    let stack = Stack::running().unwrap();
    let database = PgPool::connect(&stack.manifest.database_urls["aggregator"]).await.unwrap();
    for makers_first in [true, false] {
        let (order, parcel, number) = (unique("MADE"), unique("MX"), unique("5cb8"));
        let begun = made(&number, "order:sent-to-production", &json!({"shop_id": 1}));
        stack.say("source.shop", &placed(&order)).await.unwrap();
        stack.say("source.printify", &begun).await.unwrap();
        parked(&database, &format!("printify:{number}")).await;
        let (told, sent) = (packed(&order, &parcel), sent(&number, &parcel));
        if makers_first {
            stack.say("source.printify", &sent).await.unwrap();
            let is_it = |event: &Value| {
                let text = event.to_string();
                text.contains(&number) && text.contains("shipment.handed_over")
            };
            let waits = |page: &Value| page["items"].as_array().unwrap().iter().any(is_it);
            until(&stack, &format!("/v1/parked?cursor=printify:{number}"), waits).await;
            stack.say("source.fulfilment", &told).await.unwrap();
        } else {
            stack.say("source.fulfilment", &told).await.unwrap();
            stack.rest.wait_version(&order, 2, LIMIT).await.unwrap();
            stack.say("source.printify", &sent).await.unwrap();
        }
        let timeline = stack.rest.wait_version(&order, 4, LIMIT).await.unwrap();
        assert_eq!(timeline["status"], "shipment.handed_over", "{timeline}");
        let codes = timeline["entries"].to_string();
        assert!(codes.contains("production.started"), "{timeline}");
    }
}

/// The shop, which ordered there, may tell the number itself, before anything is sent.
#[tokio::test]
async fn a_shop_tells_what_others_call_its_order() {
    let stack = Stack::running().unwrap();
    let database = PgPool::connect(&stack.manifest.database_urls["aggregator"]).await.unwrap();
    let (order, number) = (unique("KNOWN"), unique("5cb8"));
    let begun = made(&number, "order:sent-to-production", &json!({"shop_id": 1}));
    stack.say("source.printify", &begun).await.unwrap();
    parked(&database, &format!("printify:{number}")).await;
    stack.say("source.shop", &placed(&order)).await.unwrap();
    let known = json!({"event": "order.known_as", "order_no": order, "at": "2026-11-20T02:00:00Z",
        "aliases": [format!("printify:{number}")]});
    stack.say("source.shop", &known).await.unwrap();
    let timeline = stack.rest.wait_version(&order, 2, LIMIT).await.unwrap();
    assert_eq!(timeline["status"], "production.started", "{timeline}");
}

/// What somebody noted on a parcel may look like an order's number.
#[tokio::test]
async fn a_note_on_a_parcel_is_no_order_where_the_parcel_is_anothers() {
    let stack = Stack::running().unwrap();
    let database = PgPool::connect(&stack.manifest.database_urls["aggregator"]).await.unwrap();
    for tracker_first in [true, false] {
        let (order, parcel, note) = (unique("NOTED"), unique("NX"), unique("vip"));
        let hook = json!({"event": "TRACKING_UPDATED", "data": {"number": parcel, "tag": note, "track_info": {
            "latest_status": {"status": "OutForDelivery"},
            "latest_event": {"time_utc": "2026-11-22T01:00:00Z"},
            "tracking": {"providers": [{"provider": {"name": "GHN"}, "events": []}]}}}});
        stack.say("source.shop", &placed(&order)).await.unwrap();
        if tracker_first {
            stack.say("source.17track", &hook).await.unwrap();
            parked(&database, &note).await;
        }
        stack.say("source.fulfilment", &packed(&order, &parcel)).await.unwrap();
        if !tracker_first {
            stack.rest.wait_version(&order, 2, LIMIT).await.unwrap();
            stack.say("source.17track", &hook).await.unwrap();
        }
        let timeline = stack.rest.wait_version(&order, 3, LIMIT).await.unwrap();
        assert_eq!(timeline["status"], "shipment.out_for_delivery", "{timeline}");
    }
}
