//! Refused records: explained, and driven again.

use crate::operate::{call, operator, until};
use devstack::testing::{Stack, unique};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use service_kit::clock;
use sqlx::PgPool;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

#[tokio::test]
async fn refused_records_are_explained_and_driven_again_one_or_many() {
    let stack = Stack::running().unwrap();
    let mark = unique("AGAIN");
    // A carrier of its own, so that no other test's refusals fit the filter.
    for number in 0..3 {
        let record = json!({"tracking_code": "X", "order_code": "T-1", "status_code": 4, "datetime": format!("{mark} {number}")});
        stack.say("source.ems", &record).await.unwrap();
    }
    let list = "/v1/dead-letters?source=ems&reason=bad_time&limit=200";
    let open = |page: &Value| {
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|l| l["detail"].as_str().unwrap().contains(&mark))
            .cloned()
            .collect::<Vec<_>>()
    };
    let page = until(&stack, list, |page| open(page).len() == 3).await;
    let id = open(&page)[0]["id"].as_i64().unwrap();
    let one = operator(&stack, &format!("/v1/dead-letters/{id}")).await;
    assert!(one["value"].as_str().unwrap().contains(&mark));
    let again = call(
        &stack,
        Method::POST,
        &format!("/v1/dead-letters/{id}/replay"),
        &stack.manifest.operator_key,
        None,
    )
    .await;
    assert_eq!(again.status(), StatusCode::ACCEPTED);
    // Nothing was mended, so it comes back as a refusal of its own.
    let page = until(&stack, list, |page| open(page).len() == 4).await;
    assert_eq!(open(&page).iter().filter(|l| l["replayed_at"].is_string()).count(), 1);
    let filter = json!({"source": "ems", "reason": "bad_time"});
    let begun = call(
        &stack,
        Method::POST,
        "/v1/dead-letters/replay",
        &stack.manifest.operator_key,
        Some(&filter),
    )
    .await;
    assert_eq!(begun.status(), StatusCode::ACCEPTED);
    let path = begun.headers()["location"].to_str().unwrap().to_owned();
    let run = until(&stack, &path, |run| run["state"] == "finished").await;
    assert!(run["total"].as_i64().unwrap() >= 3 && run["done"] == run["total"], "{run}");
    until(&stack, list, |page| open(page).len() == 7).await;
    let gone = call(&stack, Method::DELETE, &path, &stack.manifest.operator_key, None).await;
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
}

/// A record whose topic Kafka does not take holds up no other one.
#[tokio::test]
async fn a_record_that_goes_nowhere_holds_up_no_run() {
    let stack = Stack::running().unwrap();
    let (order, source) = (unique("RUN"), unique("mended"));
    let placed = json!({"event": "order.placed", "order_no": order, "at": clock::now().to_rfc3339(),
        "customer": {"id": "C-1"}, "items": []});
    let database = PgPool::connect(&stack.manifest.database_urls["aggregator"]).await.unwrap();
    let mut ids = Vec::new();
    for topic in ["no such topic!", "source.shop"] {
        let refused = "insert into dead_letters (source, reason, detail, topic, partition, position, value, received_at, published)
             values ($1, 'bad_time', 'x', $2, 0, -(random() * 1e15)::bigint, $3, now(), true) returning id";
        let added = sqlx::query_scalar::<_, i64>(refused).bind(&source).bind(topic);
        ids.push(added.bind(placed.to_string().into_bytes()).fetch_one(&database).await.unwrap());
    }
    let key = &stack.manifest.operator_key;
    let (filter, path) = (json!({"source": source}), "/v1/dead-letters/replay");
    // A mistyped name would drive all.
    let mistyped = json!({"sorce": source});
    let refused = call(&stack, Method::POST, path, key, Some(&mistyped)).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    let begun = call(&stack, Method::POST, path, key, Some(&filter)).await;
    let run = begun.headers()["location"].to_str().unwrap().to_owned();
    let run = until(&stack, &run, |run| run["state"] == "finished").await;
    assert_eq!((&run["total"], &run["done"]), (&json!(2), &json!(1)), "{run}");
    stack.rest.wait_version(&order, 1, LIMIT).await.unwrap();
    let one = format!("/v1/dead-letters/{}/replay", ids[0]);
    let never = call(&stack, Method::POST, &one, key, None).await;
    assert_eq!(never.status(), StatusCode::UNPROCESSABLE_ENTITY);
}
