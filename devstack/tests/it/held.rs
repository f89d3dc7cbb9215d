//! A batch that hears late of a name which somebody else holds gives back what it has: then nobody waits for it.

use crate::slipped::parked;
use devstack::testing::{Stack, unique};
use serde_json::json;
use sqlx::{PgConnection, PgPool};
use std::time::Duration;
use tokio::time::Instant;

const LIMIT: Duration = Duration::from_secs(20);

/// The number under which a name of some kind is locked: the first 64 bits of its SHA-256.
pub(crate) async fn key(database: &PgPool, kind: &str, name: &str) -> i64 {
    let key = "select ('x' || encode(substr(sha256(convert_to($1 || ':' || $2, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint";
    sqlx::query_scalar(key).bind(kind).bind(name).fetch_one(database).await.unwrap()
}

/// Locks a name if it is free.
async fn lock(connection: &mut PgConnection, key: i64) -> bool {
    let lock = sqlx::query_scalar("select pg_try_advisory_xact_lock($1)").bind(key);
    lock.fetch_one(connection).await.unwrap()
}

/// Waits until somebody waits for this name.
async fn awaited(database: &PgPool, key: i64) {
    let awaited = "select exists (select from pg_locks where locktype = 'advisory' and not granted
                   and (classid::bigint << 32 | objid::bigint) = $1)";
    let started = Instant::now();
    while !sqlx::query_scalar::<_, bool>(awaited).bind(key).fetch_one(database).await.unwrap() {
        assert!(started.elapsed() < LIMIT, "nobody waits for the name");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The order tells a name; what waited for it tells another, which is somebody else's at the time. Names are locked
/// in the order of their numbers: the later one is free while the first is waited for.
#[tokio::test]
async fn who_waits_for_a_name_that_was_heard_of_late_holds_none() {
    let stack = Stack::running().unwrap();
    let database = PgPool::connect(&stack.manifest.database_urls["aggregator"]).await.unwrap();
    let order = unique("HELD");
    let (id, parcel, first, later) = loop {
        let (id, parcel) = (fastrand::u64(1_000_000..u64::from(u32::MAX)), unique("HX"));
        let told = key(&database, "alias", &format!("tracking:{}", parcel.to_uppercase())).await;
        let telling = key(&database, "alias", &format!("shopify:{id}")).await;
        if told < telling {
            break (id, parcel, told, telling);
        }
    };
    let fulfilment = json!({"id": id + 1, "order_id": id, "status": "success", "created_at": "2026-11-20T10:00:00Z",
        "updated_at": "2026-11-20T10:00:00Z", "tracking_company": "GHN", "tracking_number": parcel, "line_items": [{"id": 1}]});
    stack.say("source.shopify", &fulfilment).await.unwrap();
    parked(&database, &format!("shopify:{id}")).await;
    let mut other = database.begin().await.unwrap();
    assert!(lock(&mut other, first).await);
    let placed = json!({"id": id, "name": format!("#{order}"), "created_at": "2026-11-20T08:00:00Z", "updated_at": "2026-11-20T08:00:00Z",
        "currency": "VND", "total_price": "459000", "financial_status": "paid", "fulfillment_status": null, "confirmed": true,
        "customer": {"id": 5}, "line_items": [{"id": 1, "name": "Cốc", "quantity": 1}]});
    stack.say("source.shopify", &placed).await.unwrap();
    awaited(&database, first).await;
    assert!(lock(&mut other, later).await, "the batch holds what it took before");
    other.commit().await.unwrap();
    let timeline = stack.rest.wait_version(&order, 4, LIMIT).await.unwrap();
    assert_eq!(timeline["status"], "shipment.label_created", "{timeline}");
}
