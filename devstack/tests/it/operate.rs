//! What people who run it and people who look an order up can do, through a gateway.

use chrono::TimeDelta;
use devstack::testing::{Stack, unique};
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};
use service_kit::clock;
use service_kit::kafka::Outgoing;
use std::time::Duration;
use tokio::time::Instant;

const LIMIT: Duration = Duration::from_secs(30);

pub(crate) async fn call(
    stack: &Stack,
    method: Method,
    path: &str,
    key: &str,
    body: Option<&Value>,
) -> Response {
    let client = Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
    let mut request = client.request(method, format!("{}{path}", stack.manifest.gateways[0]));
    if !key.is_empty() {
        request = request.bearer_auth(key);
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    request.send().await.unwrap()
}

pub(crate) async fn operator(stack: &Stack, path: &str) -> Value {
    let answer = call(stack, Method::GET, path, &stack.manifest.operator_key, None).await;
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.json().await.unwrap()
}

pub(crate) fn placed(order: &str) -> Value {
    json!({"event": "order.placed", "order_no": order, "at": clock::now().to_rfc3339(),
        "customer": {"id": format!("C-{order}"), "email": format!("{order}@Example.com"), "phone": "0901 234 567", "locale": "vi"},
        "items": [{"line": "1", "title": "Cốc", "quantity": 1}]})
}

/// Asks until the answer fits.
pub(crate) async fn until(stack: &Stack, path: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + LIMIT;
    loop {
        let answer = operator(stack, path).await;
        if fits(&answer) {
            return answer;
        }
        assert!(Instant::now() < end, "{path}: {answer}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_back_end_places_an_order_and_learns_at_once_what_is_wrong() {
    let stack = Stack::running().unwrap();
    let order = unique("PUT");
    let (path, key) = (format!("/v1/orders/{order}"), stack.manifest.api_key.clone());
    let put = |body: Value| {
        let (stack, path, key) = (&stack, path.clone(), key.clone());
        async move { call(stack, Method::PUT, &path, &key, Some(&body)).await }
    };
    let wrong: Value =
        put(json!({"event": "order.sung", "order_no": order, "at": "2026-11-20T01:00:00Z"}))
            .await
            .json()
            .await
            .unwrap();
    assert_eq!(wrong["code"], "unknown_status");
    let other = put(placed("another")).await;
    assert_eq!(other.status(), StatusCode::BAD_REQUEST);
    assert_eq!(put(placed(&order)).await.status(), StatusCode::ACCEPTED);
    stack.rest.wait_version(&order, 1, LIMIT).await.unwrap();
    let viewer = stack.rest.token("C-1", &[&order]).await.unwrap();
    let forbidden = call(&stack, Method::PUT, &path, &viewer, Some(&placed(&order))).await;
    assert_eq!(forbidden.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_look_up_opens_one_order_and_tells_nothing_of_others() {
    let stack = Stack::running().unwrap();
    let order = unique("LOOK");
    stack.say("source.shop", &placed(&order)).await.unwrap();
    stack.rest.wait_version(&order, 1, LIMIT).await.unwrap();
    let ask = |order: &str, contact: &str| {
        let (stack, body) = (&stack, json!({"order": order, "contact": contact}));
        async move { call(stack, Method::POST, "/v1/lookup", "", Some(&body)).await }
    };
    let good = ask(&format!("#{order}"), "+84 901-234-567").await;
    assert_eq!(good.status(), StatusCode::OK);
    let token = good.json::<Value>().await.unwrap()["token"].as_str().unwrap().to_owned();
    let read =
        call(&stack, Method::GET, &format!("/v1/orders/{order}/timeline"), &token, None).await;
    assert_eq!(read.status(), StatusCode::OK);
    let foreign = call(&stack, Method::GET, "/v1/orders/TM-1/timeline", &token, None).await;
    assert_eq!(foreign.status(), StatusCode::NOT_FOUND);
    let strip = |mut problem: Value| {
        problem["request_id"] = Value::Null;
        problem
    };
    let wrong = strip(ask(&order, "someone@example.com").await.json().await.unwrap());
    let unknown = strip(ask(&unique("NONE"), "someone@example.com").await.json().await.unwrap());
    assert_eq!(wrong, unknown);
    assert_eq!(ask(&order, &format!(" {order}@example.COM")).await.status(), StatusCode::OK);
    // The fourth and fifth are within the limit, if no other test looks up; the sixth never is.
    let mut last = StatusCode::OK;
    for _ in 0..6 {
        last = ask(&order, "x@example.com").await.status();
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn every_event_is_listed_with_its_fate_and_what_no_table_knows_is_counted() {
    let stack = Stack::running().unwrap();
    let (order, code) = (unique("FATE"), unique("code"));
    let scan = json!({"OrderCode": unique("GX"), "ClientOrderCode": order, "Status": code, "Type": "switch_status", "Time": "2026-11-22T03:52:50Z"});
    stack.say("source.ghn", &scan).await.unwrap();
    let waiting =
        until(&stack, "/v1/parked?limit=200", |page| page.to_string().contains(&order)).await;
    assert!(waiting["items"].as_array().unwrap().iter().any(|line| line["order"] == order));
    stack.say("source.shop", &placed(&order)).await.unwrap();
    let path = format!("/v1/orders/{order}/events");
    stack.rest.wait_version(&order, 1, LIMIT).await.unwrap();
    let told =
        until(&stack, &path, |answer| answer["events"].as_array().is_some_and(|e| e.len() == 2))
            .await;
    let fates: Vec<&str> =
        told["events"].as_array().unwrap().iter().map(|e| e["fate"].as_str().unwrap()).collect();
    assert!(fates.contains(&"info") && fates.contains(&"accepted"), "{told}");
    assert!(
        told["events"]
            .as_array()
            .unwrap()
            .iter()
            .all(|e| e["topic"].is_string() && e["offset"].is_i64()),
        "{told}"
    );
    let unmapped = operator(&stack, "/v1/unmapped").await;
    assert!(
        unmapped["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|line| line["code"] == code && line["seen"] == 1)
    );
    let viewer = stack.rest.token("C-1", &[&order]).await.unwrap();
    assert_eq!(
        call(&stack, Method::GET, &path, &viewer, None).await.status(),
        StatusCode::FORBIDDEN
    );
}

/// An order whose printing was heard of long ago stands still, until it is heard of again.
#[tokio::test]
async fn an_order_that_stands_still_is_listed_until_it_is_heard_of() {
    let stack = Stack::running().unwrap();
    let order = unique("STILL");
    let long_ago = (clock::now() - TimeDelta::days(5)).to_rfc3339();
    let record = Outgoing::new("source.shop", "", placed(&order).to_string())
        .header("received-at", long_ago);
    stack.producer.send(&[record]).await.unwrap();
    let listed = |page: &Value| {
        page["items"].as_array().unwrap().iter().find(|line| line["order"] == order).cloned()
    };
    let page =
        until(&stack, "/v1/silent?limit=200&owner=shop", |page| listed(page).is_some()).await;
    assert_eq!(listed(&page).unwrap()["stage"], "order.placed");
    assert!(listed(&operator(&stack, "/v1/silent?limit=200&owner=carrier").await).is_none());
    let confirmed =
        json!({"event": "order.confirmed", "order_no": order, "at": clock::now().to_rfc3339()});
    stack.say("source.shop", &confirmed).await.unwrap();
    until(&stack, "/v1/silent?limit=200&owner=shop", |page| listed(page).is_none()).await;
}
