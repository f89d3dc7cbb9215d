//! Orders by other names: told by one event, used by others, in any order of arrival.

use crate::operate::until;
use devstack::testing::{Stack, unique};
use serde_json::{Value, json};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

fn codes(timeline: &Value) -> Vec<String> {
    let entries = timeline["entries"].as_array().unwrap();
    entries.iter().map(|e| e["milestone"].as_str().unwrap().to_owned()).collect()
}

/// The scan waits for the number, the number's fulfilment for the platform's order, and the
/// order comes last.
#[tokio::test]
async fn a_chain_of_names_is_followed_from_its_far_end() {
    let stack = Stack::running().unwrap();
    let (order, parcel) = (unique("CHAIN"), unique("PX"));
    let id = fastrand::u64(1_000_000..u64::from(u32::MAX));
    let scan = json!({"tracking_code": parcel, "carrier": "GHN", "status": "delivered", "updated_at": "2026-11-21T09:00:00Z",
        "tracking_details": [{"status": "delivered", "datetime": "2026-11-21T09:00:00Z"}]});
    stack.say("source.easypost", &scan).await.unwrap();
    let fulfilment = json!({"id": id + 1, "order_id": id, "status": "success", "created_at": "2026-11-20T10:00:00Z",
        "updated_at": "2026-11-20T10:00:00Z", "tracking_company": "GHN", "tracking_number": parcel, "line_items": [{"id": 1}]});
    stack.say("source.shopify", &fulfilment).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let placed = json!({"id": id, "name": format!("#{order}"), "created_at": "2026-11-20T08:00:00Z", "updated_at": "2026-11-20T08:00:00Z",
        "currency": "VND", "total_price": "459000", "financial_status": "paid", "fulfillment_status": null, "confirmed": true,
        "customer": {"id": 5}, "line_items": [{"id": 1, "name": "Cốc", "quantity": 1}]});
    stack.say("source.shopify", &placed).await.unwrap();
    let timeline = stack.rest.wait_version(&order, 5, LIMIT).await.unwrap();
    let wanted = [
        "order.placed",
        "payment.paid",
        "order.confirmed",
        "shipment.label_created",
        "shipment.delivered",
    ];
    let mut found = codes(&timeline);
    found.sort();
    let mut wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    wanted.sort();
    assert_eq!(found, wanted, "{timeline}");
    assert_eq!(timeline["status"], "shipment.delivered");
}

/// A warehouse that counts anew for each order: what waits for one is not what waits for the other.
#[tokio::test]
async fn events_of_one_id_wait_for_their_orders_each() {
    let stack = Stack::running().unwrap();
    let (id, orders) = (unique("1"), [unique("SAME"), unique("SAME")]);
    for order in &orders {
        let packed = json!({"id": id, "order": order, "status": "PACKED", "parcel": "P1",
            "lines": [{"line": "1", "qty": 1}], "updated": "20/11/2026 10:00:00"});
        stack.say("source.fulfilment", &packed).await.unwrap();
    }
    // From these orders on, however many others wait.
    let all = |page: &Value| orders.iter().all(|order| page.to_string().contains(order));
    until(&stack, "/v1/parked?cursor=SAME-", all).await;
    for order in &orders {
        let placed = json!({"event": "order.placed", "order_no": order, "at": "2026-11-20T01:00:00Z",
            "customer": {"id": format!("C-{order}")}, "items": [{"line": "1", "title": "Cốc", "quantity": 1}]});
        stack.say("source.shop", &placed).await.unwrap();
        let timeline = stack.rest.wait_version(order, 2, LIMIT).await.unwrap();
        assert_eq!(timeline["status"], "fulfilment.packed", "{timeline}");
    }
}

/// A number that comes back belongs to the newer order once the first parcel is done, and its
/// former life is not told to the new buyer.
#[tokio::test]
async fn a_tracking_number_that_comes_back_has_a_second_life() {
    let stack = Stack::running().unwrap();
    let (first, second, parcel) = (unique("LIFE"), unique("LIFE"), unique("RE"));
    let placed = |order: &str, at: &str| {
        json!({"event": "order.placed", "order_no": order, "at": at,
        "customer": {"id": format!("C-{order}"), "locale": "vi"}, "items": [{"line": "1", "title": "Cốc", "quantity": 1}]})
    };
    let packed = |order: &str, id: u32, at: &str| {
        json!({"id": format!("{order}-{id}"), "order": order, "status": "PACKED", "parcel": "P1",
        "lines": [{"line": "1", "qty": 1}], "carrier": "ghn", "tracking_code": parcel, "updated": at})
    };
    let scan = |id: &str, code: &str, at: i64| json!({"id": format!("{parcel}-{id}"), "carrier": "ghn", "tracking_number": parcel, "code": code, "ts": at});
    let day = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp();
    stack.say("source.shop", &placed(&first, "2026-06-01T01:00:00Z")).await.unwrap();
    stack.say("source.fulfilment", &packed(&first, 1, "02/06/2026 10:00:00")).await.unwrap();
    stack
        .say("source.logistics", &scan("a", "delivered", day("2026-06-04T03:00:00Z")))
        .await
        .unwrap();
    stack.rest.wait_version(&first, 3, LIMIT).await.unwrap();
    stack.say("source.shop", &placed(&second, "2026-11-18T01:00:00Z")).await.unwrap();
    stack.say("source.fulfilment", &packed(&second, 1, "19/11/2026 10:00:00")).await.unwrap();
    stack.rest.wait_version(&second, 2, LIMIT).await.unwrap();
    stack
        .say("source.logistics", &scan("b", "out_for_delivery", day("2026-11-21T03:00:00Z")))
        .await
        .unwrap();
    stack
        .say("source.logistics", &scan("c", "out_for_delivery", day("2026-06-03T03:00:00Z")))
        .await
        .unwrap();
    let timeline = stack.rest.wait_version(&second, 3, LIMIT).await.unwrap();
    assert_eq!(timeline["status"], "shipment.out_for_delivery");
    let old = stack.rest.wait_version(&first, 4, LIMIT).await.unwrap();
    assert_eq!(
        (old["status"].as_str(), old["version"].as_u64()),
        (Some("shipment.delivered"), Some(4))
    );
}

/// A carrier calls a second parcel by a reference of its own, and a scanner a mistyped order by the parcel: both
/// wait for an order that nobody places, until the warehouse tells whose parcel it is.
#[tokio::test]
async fn what_a_carrier_says_of_an_order_that_nobody_placed_is_its_parcels() {
    let stack = Stack::running().unwrap();
    let (order, parcel) = (unique("GHOST"), unique("GX"));
    let ghost = format!("{order}-2");
    let hook = |status: &str, at: &str| json!({"OrderCode": parcel, "ClientOrderCode": ghost, "Status": status, "Type": "switch_status", "Time": at});
    let placed = json!({"event": "order.placed", "order_no": order, "at": "2026-11-20T01:00:00Z",
        "customer": {"id": format!("C-{order}")}, "items": [{"line": "1", "title": "Cốc", "quantity": 1}]});
    stack.say("source.shop", &placed).await.unwrap();
    stack.say("source.ghn", &hook("picked", "2026-11-21T01:00:00Z")).await.unwrap();
    let waits = |page: &Value| page.to_string().contains(&ghost);
    until(&stack, &format!("/v1/parked?cursor={order}"), waits).await;
    let scan = json!({"id": unique("lg"), "carrier": "ghn", "tracking_number": parcel, "code": "in_transit", "ts": 1_795_229_000});
    stack.say("source.logistics", &scan).await.unwrap();
    let both = |page: &Value| {
        page["items"].as_array().unwrap().iter().filter(|l| l["order"] == ghost).count() == 2
    };
    until(&stack, &format!("/v1/parked?cursor={order}"), both).await;
    let packed = json!({"id": unique("pk"), "order": order, "status": "PACKED", "parcel": "P1",
        "lines": [{"line": "1", "qty": 1}], "carrier": "ghn", "tracking_code": parcel, "updated": "20/11/2026 16:00:00"});
    stack.say("source.fulfilment", &packed).await.unwrap();
    stack.rest.wait_version(&order, 4, LIMIT).await.unwrap();
    stack.say("source.ghn", &hook("delivering", "2026-11-22T01:00:00Z")).await.unwrap();
    let timeline = stack.rest.wait_version(&order, 5, LIMIT).await.unwrap();
    assert_eq!(timeline["status"], "shipment.out_for_delivery", "{timeline}");
}

/// The same where the shop is the last to tell: of an order that nobody placed yet the parcel is nobody's. What
/// waits is looked at every minute.
#[tokio::test]
async fn what_a_carrier_said_of_a_parcel_is_its_orders_once_that_is_placed() {
    let stack = Stack::running().unwrap();
    let (order, parcel) = (unique("LATE"), unique("LX"));
    let ghost = format!("{order}-2");
    let packed = json!({"id": unique("pk"), "order": order, "status": "PACKED", "parcel": "P1",
        "lines": [{"line": "1", "qty": 1}], "carrier": "ghn", "tracking_code": parcel, "updated": "20/11/2026 16:00:00"});
    stack.say("source.fulfilment", &packed).await.unwrap();
    let waits = |name: String| move |page: &Value| page.to_string().contains(&name);
    until(&stack, &format!("/v1/parked?cursor={order}"), waits(order.clone())).await;
    let hook = json!({"OrderCode": parcel, "ClientOrderCode": ghost, "Status": "picked", "Type": "switch_status", "Time": "2026-11-21T01:00:00Z"});
    stack.say("source.ghn", &hook).await.unwrap();
    until(&stack, &format!("/v1/parked?cursor={order}"), waits(ghost)).await;
    let placed = json!({"event": "order.placed", "order_no": order, "at": "2026-11-20T01:00:00Z",
        "customer": {"id": format!("C-{order}")}, "items": [{"line": "1", "title": "Cốc", "quantity": 1}]});
    stack.say("source.shop", &placed).await.unwrap();
    let timeline = stack.rest.wait_version(&order, 3, 4 * LIMIT).await.unwrap();
    assert_eq!(timeline["status"], "shipment.handed_over", "{timeline}");
}
