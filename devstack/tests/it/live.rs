//! The edge: what a viewer may not do, and what it is told.

use devstack::client::LiveClient;
use devstack::testing::{Stack, unique};
use serde_json::{Value, json};
use service_kit::token::{TokenKeys, generate_keys};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

const LIMIT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn frames_that_are_none_end_the_connection_with_their_codes() {
    let stack = Stack::running().unwrap();
    let gateway = &stack.manifest.gateways[0];
    let hello = |client| async {
        let mut client: LiveClient = client;
        let token = stack.rest.token("C-1", &["A"]).await.unwrap();
        client.send(&json!({"op": "hello", "token": token})).await.unwrap();
        client.wait(LIMIT, |seen| seen.op() == "welcome").await.unwrap();
        client
    };
    let cases: [(Message, u16, bool); 5] = [
        (Message::binary(vec![1, 2, 3]), 4400, true),
        (Message::text("x".repeat(1024 * 1024)), 4413, true),
        (Message::text("y".repeat(5000)), 4413, true),
        (Message::text(r#"{"op":"shout"}"#), 4400, true),
        (Message::text(r#"{"op":"subscribe","id":1,"channel":"order:A"}"#), 4401, false),
    ];
    for (message, code, welcomed) in cases {
        let mut client = LiveClient::open(gateway, None).await.unwrap();
        if welcomed {
            client = hello(client).await;
        }
        let text: String = message.to_string().chars().take(40).collect();
        // The gateway may close while a long frame is still being written.
        let _ = client.send_raw(message).await;
        assert_eq!(client.wait_close(LIMIT).await.unwrap(), code, "{text}");
    }
}

#[tokio::test]
async fn tokens_that_are_not_ours_open_nothing() {
    let stack = Stack::running().unwrap();
    let end = |seconds| service_kit::clock::now() + chrono::TimeDelta::seconds(seconds);
    let foreign = TokenKeys::from_json(&generate_keys("dev-1").unwrap()).unwrap();
    let mint = |keys: &TokenKeys, seconds| {
        keys.mint("C-1", vec!["A".into()], vec!["timeline".into()], end(seconds)).unwrap()
    };
    let good = stack.rest.token("C-1", &["A"]).await.unwrap();
    let parts: Vec<&str> = good.split('.').collect();
    // {"alg":"none","kid":"dev-1"}
    let none = format!("eyJhbGciOiJub25lIiwia2lkIjoiZGV2LTEifQ.{}.", parts[1]);
    let unsigned = format!("{}.{}.", parts[0], parts[1]);
    let wanted =
        json!({"subject": "C-1", "orders": ["A"], "scope": ["timeline"], "ttl_seconds": 1});
    let request = stack.rest.request(reqwest::Method::POST, 0, "/v1/tokens");
    let minted: Value = request
        .bearer_auth(&stack.manifest.api_key)
        .json(&wanted)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let expired = minted["token"].as_str().unwrap().to_owned();
    for (name, token) in [
        ("foreign", mint(&foreign, 60)),
        ("alg none", none),
        ("unsigned", unsigned),
        ("expired", expired),
    ] {
        let mut client = LiveClient::open(&stack.manifest.gateways[1], None).await.unwrap();
        client.send(&json!({"op": "hello", "token": token})).await.unwrap();
        assert_eq!(client.wait_close(LIMIT).await.unwrap(), 4401, "{name}");
        let request = stack.rest.request(reqwest::Method::GET, 0, "/v1/orders/A/timeline");
        let answer = request.bearer_auth(&token).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{name}");
        let problem: Value = answer.json().await.unwrap();
        assert!(
            problem["type"].as_str().unwrap().starts_with("urn:milepost:problem:token_"),
            "{problem}"
        );
        assert!(problem["request_id"].is_string());
    }
}

#[tokio::test]
async fn a_page_of_another_origin_is_refused_at_the_door() {
    let stack = Stack::running().unwrap();
    let gateway = &stack.manifest.gateways[0];
    let request = stack.rest.request(reqwest::Method::GET, 0, "/v1/live");
    let answer = request.header("origin", "https://evil.example").send().await.unwrap();
    assert_eq!(answer.status(), 403);
    assert!(LiveClient::open(gateway, Some("https://evil.example")).await.is_err());
    assert!(LiveClient::open(gateway, Some(gateway)).await.is_ok());
}

#[tokio::test]
async fn an_unknown_order_and_one_of_somebody_else_look_the_same() {
    let stack = Stack::running().unwrap();
    let others = unique("OTHERS");
    let placed = json!({"event": "order.placed", "order_no": others, "at": service_kit::clock::now().to_rfc3339(),
                        "customer": {"id": "C-2"}, "items": []});
    stack.say("source.shop", &placed).await.unwrap();
    stack.rest.wait_version(&others, 1, LIMIT).await.unwrap();
    let token = stack.rest.token("C-1", &["KNOWN-TO-NOBODY"]).await.unwrap();
    for order in ["KNOWN-TO-NOBODY", &others, "%00", "a b"] {
        let path = format!("/v1/orders/{order}/timeline");
        let answer = stack
            .rest
            .request(reqwest::Method::GET, 0, &path)
            .bearer_auth(&token)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 404, "{order}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["code"], "not_found");
    }
}

#[tokio::test]
async fn a_viewer_that_is_behind_gets_the_newest_state_and_one_that_is_not_is_told_so() {
    let stack = Stack::running().unwrap();
    let (order, customer) = (unique("SINCE"), unique("C"));
    let placed = json!({"event": "order.placed", "order_no": order, "at": service_kit::clock::now().to_rfc3339(),
                        "customer": {"id": customer}, "items": []});
    stack.say("source.shop", &placed).await.unwrap();
    stack.rest.wait_version(&order, 1, LIMIT).await.unwrap();
    let token = stack.rest.token(&customer, &[&order]).await.unwrap();
    let channel = format!("order:{order}");
    for (since, op) in [(None, "snapshot"), (Some(0), "snapshot"), (Some(1), "same")] {
        let mut client = LiveClient::connect(&stack.manifest.gateways[0], &token).await.unwrap();
        let seen = client.subscribe(&channel, since).await.unwrap();
        assert_eq!((seen.op(), seen.version()), (op, 1), "{since:?}");
    }
    let etag = stack.rest.request(reqwest::Method::GET, 1, &format!("/v1/orders/{order}/timeline"));
    let answer = etag.bearer_auth(&token).header("if-none-match", "\"1\"").send().await.unwrap();
    assert_eq!(answer.status(), 304);
}

#[tokio::test]
async fn a_ticket_opens_one_stream_on_any_gateway_and_no_second_one() {
    let stack = Stack::running().unwrap();
    let token = stack.rest.token("C-1", &["A"]).await.unwrap();
    let request = stack.rest.request(reqwest::Method::POST, 0, "/v1/live/tickets");
    let issued: Value = request.bearer_auth(&token).send().await.unwrap().json().await.unwrap();
    let path =
        format!("/v1/live/sse?channel=order:A&ticket={}", issued["ticket"].as_str().unwrap());
    let first = stack.rest.request(reqwest::Method::GET, 1, &path).send().await.unwrap();
    assert_eq!(first.status(), 200);
    let second = stack.rest.request(reqwest::Method::GET, 0, &path).send().await.unwrap();
    assert_eq!(second.status(), 401);
}
