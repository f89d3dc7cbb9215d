//! What a token opened ends when its right is taken away, on every gateway.

use devstack::client::{LiveClient, StreamClient};
use devstack::testing::{Stack, unique};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// What Redis has forgotten is found within 10 s.
const LIMIT: Duration = Duration::from_secs(20);

async fn revoke(stack: &Stack, gateway: usize, ending: &Value) -> reqwest::StatusCode {
    let request = stack.rest.request(Method::POST, gateway, "/v1/tokens/revoke");
    request.bearer_auth(&stack.manifest.api_key).json(ending).send().await.unwrap().status()
}

async fn inbox(stack: &Stack, gateway: usize, token: &str) -> (u16, Value) {
    let request = stack.rest.request(Method::GET, gateway, "/v1/inbox");
    let answer = request.bearer_auth(token).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

#[tokio::test]
async fn a_customer_who_is_shut_out_is_out_on_every_gateway_and_by_every_door() {
    let stack = Stack::running().unwrap();
    let (customer, order) = (unique("C"), unique("GONE"));
    let token = stack.rest.token(&customer, &[&order]).await.unwrap();
    let channel = format!("order:{order}");
    let mut viewers = Vec::new();
    for gateway in &stack.manifest.gateways {
        let mut viewer = LiveClient::connect(gateway, &token).await.unwrap();
        viewer.subscribe(&channel, None).await.unwrap();
        viewers.push(viewer);
    }
    let mut stream =
        StreamClient::connect(&stack.manifest.gateways[1], &token, &channel).await.unwrap();
    let tickets = stack.rest.request(Method::POST, 0, "/v1/live/tickets");
    let ticket: Value = tickets.bearer_auth(&token).send().await.unwrap().json().await.unwrap();
    assert_eq!(revoke(&stack, 0, &json!({"subject": customer})).await, 204);
    for mut viewer in viewers {
        assert_eq!(viewer.wait_close(LIMIT).await.unwrap(), 4403);
    }
    let last = tokio::time::timeout(LIMIT, async {
        let mut last = None;
        while let Some(seen) = stream.next().await {
            last = Some(seen);
        }
        last
    });
    assert_eq!(last.await.unwrap().unwrap().frame["code"], 4403);
    for (gateway, url) in stack.manifest.gateways.iter().enumerate() {
        let (status, problem) = inbox(&stack, gateway, &token).await;
        assert_eq!((status, problem["code"].as_str()), (401, Some("token_revoked")));
        let mut viewer = LiveClient::open(url, None).await.unwrap();
        viewer.send(&json!({"op": "hello", "token": token})).await.unwrap();
        assert_eq!(viewer.wait_close(LIMIT).await.unwrap(), 4403);
    }
    let path =
        format!("/v1/live/sse?channel={channel}&ticket={}", ticket["ticket"].as_str().unwrap());
    let answer = stack.rest.request(Method::GET, 1, &path).send().await.unwrap();
    assert_eq!(answer.status(), 401, "a ticket is no way round");
    // What is made from now on is good.
    let newer = stack.rest.token(&customer, &[&order]).await.unwrap();
    assert_eq!(inbox(&stack, 1, &newer).await.0, 200);
    LiveClient::connect(&stack.manifest.gateways[1], &newer).await.unwrap();
}

#[tokio::test]
async fn an_order_that_is_closed_leaves_the_connection_and_its_other_channels() {
    let stack = Stack::running().unwrap();
    let (customer, closed, open) = (unique("C"), unique("CLOSED"), unique("OPEN"));
    let token = stack.rest.token(&customer, &[&closed, &open]).await.unwrap();
    let mut viewer = LiveClient::connect(&stack.manifest.gateways[1], &token).await.unwrap();
    for order in [&closed, &open] {
        viewer.subscribe(&format!("order:{order}"), None).await.unwrap();
    }
    assert_eq!(revoke(&stack, 0, &json!({"order": closed})).await, 204);
    let seen = viewer.wait(LIMIT, |seen| seen.op() == "unsubscribed").await.unwrap();
    assert_eq!(seen.frame["reason"], "revoked");
    assert_eq!(seen.frame["channel"], format!("order:{closed}"));
    let again = viewer.subscribe(&format!("order:{closed}"), None).await.unwrap();
    assert_eq!(again.frame["code"], "revoked");
    // The dash written as %2D is the same order.
    for (order, status) in [(closed.clone(), 401), (closed.replace('-', "%2D"), 401), (open, 404)] {
        let path = format!("/v1/orders/{order}/timeline");
        let answer = stack.rest.request(Method::GET, 1, &path).bearer_auth(&token).send().await;
        assert_eq!(answer.unwrap().status(), status, "{order}");
    }
}

#[tokio::test]
async fn one_token_ends_alone_and_nobody_but_the_shop_ends_any() {
    let stack = Stack::running().unwrap();
    let customer = unique("C");
    let (ended, other) = (
        stack.rest.token(&customer, &[]).await.unwrap(),
        stack.rest.token(&customer, &[]).await.unwrap(),
    );
    let id = service_kit::token::Viewer::unverified(&ended).unwrap().jti;
    let request = || stack.rest.request(Method::POST, 0, "/v1/tokens/revoke");
    let by_viewer = request().bearer_auth(&other).json(&json!({"token_id": id})).send().await;
    assert_eq!(by_viewer.unwrap().status(), 403);
    assert_eq!(request().json(&json!({"token_id": id})).send().await.unwrap().status(), 401);
    assert_eq!(revoke(&stack, 0, &json!({"token_id": id, "order": "A"})).await, 400);
    let mut viewer = LiveClient::connect(&stack.manifest.gateways[1], &ended).await.unwrap();
    assert_eq!(revoke(&stack, 0, &json!({"token_id": id})).await, 204);
    assert_eq!(viewer.wait_close(LIMIT).await.unwrap(), 4403);
    assert_eq!(inbox(&stack, 1, &ended).await.0, 401);
    assert_eq!(inbox(&stack, 1, &other).await.0, 200);
}

#[tokio::test]
async fn a_redis_that_was_started_empty_is_told_again_what_was_taken_away() {
    let stack = Stack::running().unwrap();
    let customer = unique("C");
    assert_eq!(revoke(&stack, 0, &json!({"subject": customer})).await, 204);
    let client = redis::Client::open(stack.manifest.redis_url.as_str()).unwrap();
    let mut redis = client.get_multiplexed_async_connection().await.unwrap();
    let name = format!("subject:{customer}");
    let first = score(&mut redis, &name).await.unwrap();
    redis::cmd("DEL").arg("revoked").exec_async(&mut redis).await.unwrap();
    written_back(&mut redis, &name, first).await;
    // One that knows of an older time only has forgotten too.
    let older = redis::cmd("ZADD").arg("revoked").arg(first - 60_000).arg(&name).clone();
    older.exec_async(&mut redis).await.unwrap();
    written_back(&mut redis, &name, first).await;
}

async fn score(redis: &mut redis::aio::MultiplexedConnection, name: &str) -> Option<i64> {
    redis::cmd("ZSCORE").arg("revoked").arg(name).query_async(redis).await.unwrap()
}

async fn written_back(redis: &mut redis::aio::MultiplexedConnection, name: &str, at: i64) {
    let end = tokio::time::Instant::now() + LIMIT;
    while score(redis, name).await != Some(at) {
        assert!(tokio::time::Instant::now() < end, "nobody writes it back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
