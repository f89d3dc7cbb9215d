//! What is published is shared out among all aggregators that are there, and each adds to what others stored.

use crate::held::key;
use crate::operate::{placed, until};
use contract::name::Shard;
use devstack::testing::{Stack, unique};
use redis::AsyncCommands;
use serde_json::{Value, json};
use service_kit::clock;
use service_kit::kafka::place_of;
use sqlx::PgPool;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Well above what the leases take.
const LIMIT: Duration = Duration::from_secs(15);

/// Waits until so many lanes are held; returns them.
async fn held(database: &PgPool, count: usize) -> Vec<i16> {
    let (started, held) = (
        Instant::now(),
        "select lane from lanes where owner is not null and until > now() order by lane",
    );
    loop {
        let lanes: Vec<i16> = sqlx::query_scalar(held).fetch_all(database).await.unwrap();
        if lanes.len() == count {
            return lanes;
        }
        assert!(started.elapsed() < LIMIT, "{lanes:?} are held, not {count}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A second one that only says that it is there: half of the lanes are free for it, and taken again
/// when it is gone.
#[tokio::test]
async fn whoever_comes_gets_a_share_of_the_lanes() {
    let stack = Stack::running().unwrap();
    let database = PgPool::connect(&stack.manifest.database_urls["aggregator"]).await.unwrap();
    held(&database, 8).await;
    let own = "select name from publishers where owner in (select owner from lanes)";
    let own: String = sqlx::query_scalar(own).fetch_one(&database).await.unwrap();
    // Names after it, before it, on both sides of it; its own, of who had it before.
    let beside: [(&[&str], &[i16]); 4] = [
        (&["~"], &[0, 1, 2, 3]),
        (&[""], &[4, 5, 6, 7]),
        (&["", "~"], &[4, 5]),
        (&[&own, "~"], &[0, 1, 2, 3]),
    ];
    for (names, left) in beside {
        let others: Vec<Uuid> = names.iter().map(|_| Uuid::now_v7()).collect();
        let come = "insert into publishers (owner, name, until)
            select o, n, now() + interval '30 seconds' from unnest($1::uuid[], $2::text[]) as new (o, n)";
        sqlx::query(come).bind(&others).bind(names).execute(&database).await.unwrap();
        assert_eq!(held(&database, left.len()).await, left, "beside {names:?}");
        let go = "delete from publishers where owner = any($1)";
        sqlx::query(go).bind(&others).execute(&database).await.unwrap();
        held(&database, 8).await;
    }
}

/// What another process would write down of an order that is remembered here, while it has the order's lock: an event,
/// its state, its row. Gives the version.
async fn store_elsewhere(database: &PgPool, order: &str) -> i64 {
    let stored = "with event as (
            insert into events (order_id, key, milestone, occurred_at, received_at, event, month)
            select order_id, event ->> 'source' || ':elsewhere', 'order.confirmed', occurred_at, received_at,
              (event::jsonb || $2)::json, month
            from events where order_id = $1 and milestone = 'order.placed' returning event),
          state as (
            update timelines set version = version + 1, status = 'order.confirmed', document =
              (document::jsonb || jsonb_build_object('version', version + 1, 'status', 'order.confirmed'))::json
            where order_id = $1 returning version, document)
          insert into outbox (lane, order_id, version, event, timeline, customer)
          select $3, $1, version, event::text, document::text, customer::text
          from event, state, orders where order_id = $1 returning version";
    let event = json!({"id": "elsewhere", "type": "order.confirmed"});
    let place = place_of(order.as_bytes());
    let lane = i16::try_from(place % 4 * 2 + place / 4 % 2).unwrap();
    let key = key(database, "order", order).await;
    let mut other = database.begin().await.unwrap();
    let lock = sqlx::query("select pg_advisory_xact_lock($1)").bind(key);
    lock.execute(&mut *other).await.unwrap();
    let stored = sqlx::query_scalar(stored).bind(order).bind(event).bind(lane);
    let version = stored.fetch_one(&mut *other).await.unwrap();
    other.commit().await.unwrap();
    version
}

/// Waits until pages are shown this version of an order, or a newer one.
async fn shown(stack: &Stack, order: &str, version: i64) {
    let channel = format!("order:{order}");
    let key = Shard::of(&channel).state_key(&channel);
    let client = redis::Client::open(stack.manifest.redis_url.as_str()).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    let started = Instant::now();
    loop {
        let there: Option<i64> = redis.hget(&key, "version").await.unwrap();
        if there.is_some_and(|there| there >= version) {
            return;
        }
        assert!(started.elapsed() < LIMIT, "pages are shown {there:?} of {order}, not {version}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn what_another_process_stored_is_shown_and_added_to() {
    let stack = Stack::running().unwrap();
    let database = PgPool::connect(&stack.manifest.database_urls["aggregator"]).await.unwrap();
    let order = unique("ELSE");
    stack.say("source.shop", &placed(&order)).await.unwrap();
    shown(&stack, &order, 1).await;
    let (admin, counter) = (&stack.manifest.admin.aggregator, "aggregator_histories_total");
    let before = stack.metric(admin, counter, "both").await.unwrap();
    let version = store_elsewhere(&database, &order).await;
    shown(&stack, &order, version).await;
    let on_hold =
        json!({"event": "order.on_hold", "order_no": order, "at": clock::now().to_rfc3339()});
    stack.say("source.shop", &on_hold).await.unwrap();
    let told = |timeline: &Value| -> Vec<String> {
        let entries = timeline["entries"].as_array().unwrap().iter();
        entries.filter_map(|entry| entry["milestone"].as_str().map(str::to_owned)).collect()
    };
    let path = format!("/v1/orders/{order}/timeline");
    let timeline =
        until(&stack, &path, |timeline| told(timeline).contains(&"order.on_hold".to_owned())).await;
    assert_eq!(told(&timeline), ["order.placed", "order.confirmed", "order.on_hold"], "{timeline}");
    let after = stack.metric(admin, counter, "both").await.unwrap();
    assert!(after > before, "it was read whole, or not at all");
}
