//! What waits for an order that is there is found, whatever way it slipped through.

use devstack::testing::{Stack, unique};
use serde_json::json;
use service_kit::clock;
use sqlx::PgPool;
use std::time::Duration;
use tokio::time::Instant;

const LIMIT: Duration = Duration::from_secs(20);
/// It is looked for once a minute, and what has waited for ten seconds alone.
const FOUND: Duration = Duration::from_mins(2);

/// Waits until an event waits for this order, or under this other name of one.
pub(crate) async fn parked(database: &PgPool, name: &str) {
    let (started, waits) =
        (Instant::now(), "select exists (select from parked where order_id = $1 or alias = $1)");
    while !sqlx::query_scalar::<_, bool>(waits).bind(name).fetch_one(database).await.unwrap() {
        assert!(started.elapsed() < LIMIT, "nothing waits for {name}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Makes an order known without anybody who tells those that wait for it.
async fn appear(database: &PgPool, order: &str) {
    let known = "insert into orders (order_id, customer, customer_at) values ($1, $2, now())";
    let customer = json!({"id": format!("C-{order}")});
    sqlx::query(known).bind(order).bind(customer).execute(database).await.unwrap();
}

#[tokio::test]
async fn what_waits_for_an_order_that_is_there_is_found() {
    let stack = Stack::running().unwrap();
    let database = PgPool::connect(&stack.manifest.database_urls["aggregator"]).await.unwrap();
    let (by_number, by_parcel, tracking) = (unique("SLIP"), unique("SLIP"), unique("TR"));
    let now = clock::now();
    let work = json!({"workOrderId": format!("WO-{by_number}"), "orderNumber": by_number, "lineItemId": "1",
        "stage": "ENGRAVING", "state": "STARTED", "at": now.to_rfc3339(), "sequence": 1});
    let scan = json!({"id": format!("lg-{tracking}"), "carrier": "ghn", "tracking_number": tracking,
        "code": "in_transit", "ts": now.timestamp(), "order_ref": null});
    stack.say("source.manufacturing", &work).await.unwrap();
    stack.say("source.logistics", &scan).await.unwrap();
    // Programs write a number in several ways: as a name it is in capitals.
    let alias = format!("tracking:{}", tracking.to_uppercase());
    parked(&database, &by_number).await;
    parked(&database, &alias).await;
    appear(&database, &by_number).await;
    appear(&database, &by_parcel).await;
    let told = "insert into aliases (alias, order_id, told_at) values ($1, $2, now())";
    sqlx::query(told).bind(&alias).bind(&by_parcel).execute(&database).await.unwrap();
    for (order, status) in [(by_number, "production.started"), (by_parcel, "shipment.in_transit")] {
        let timeline = stack.rest.wait_version(&order, 1, FOUND).await.unwrap();
        assert_eq!(timeline["status"], status, "{timeline}");
    }
}
