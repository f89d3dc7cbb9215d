//! How much one customer, one address and one moment may have of the gateways.

use devstack::client::LiveClient;
use devstack::testing::{Ground, Stack, unique};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::Value;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(20);

/// What a connection that is not let in is told.
async fn refused(gateway: &str) -> reqwest::Response {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.get(format!("{gateway}/v1/live")).header("connection", "upgrade");
    let request = request.header("upgrade", "websocket").header("sec-websocket-version", "13");
    request.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==").send().await.unwrap()
}

#[tokio::test]
async fn one_customer_has_so_many_connections_over_all_gateways() {
    let stack = Stack::running().unwrap();
    let mut ground = Ground::prepare("limit-subject").await.unwrap();
    let redis = [stack.manifest.redis_url.clone()];
    let settings = [("LIMIT_CONNECTIONS_PER_SUBJECT", "3")];
    let one = ground.gateway(&redis, &settings).await.unwrap();
    let other = ground.gateway(&redis, &settings).await.unwrap();
    let (many, few) = (unique("C"), unique("C"));
    let mut calm =
        [ground.viewer(&one, &few).await.unwrap(), ground.viewer(&other, &few).await.unwrap()];
    let mut first: Vec<LiveClient> = Vec::new();
    for _ in 0..3 {
        first.push(ground.viewer(&one, &many).await.unwrap());
    }
    let mut fourth = LiveClient::open(&one, None).await.unwrap();
    let token = ground.token(&many, Vec::new()).unwrap();
    fourth.send(&serde_json::json!({"op": "hello", "token": token})).await.unwrap();
    assert_eq!(fourth.wait_close(LIMIT).await.unwrap(), 4005, "at once, where it shows at once");
    // On the other gateway it shows when the two have told each other.
    let mut second: Vec<LiveClient> = Vec::new();
    for _ in 0..2 {
        second.push(ground.viewer(&other, &many).await.unwrap());
    }
    let ends = join_all(second.iter_mut().map(|viewer| viewer.wait_close(LIMIT))).await;
    assert!(ends.into_iter().all(|end| end.unwrap() == 4005), "the newest go");
    for viewer in first.iter_mut().chain(&mut calm) {
        viewer.send(&serde_json::json!({"op": "ping"})).await.unwrap();
        viewer.wait(LIMIT, |seen| seen.op() == "pong").await.unwrap();
    }
    ground.end().await;
}

#[tokio::test]
async fn one_address_and_one_moment_have_so_many_and_are_told_to_come_back() {
    let stack = Stack::running().unwrap();
    let mut ground = Ground::prepare("limit-address").await.unwrap();
    let redis = [stack.manifest.redis_url.clone()];
    let settings = [("LIMIT_CONNECTIONS_PER_ADDRESS", "3")];
    let gateway = ground.gateway(&redis, &settings).await.unwrap();
    let mut viewers = Vec::new();
    for _ in 0..3 {
        viewers.push(ground.viewer(&gateway, &unique("C")).await.unwrap());
    }
    let answer = refused(&gateway).await;
    let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(answer.status() == 503 && (1..=5).contains(&wait), "{answer:?}");
    drop(viewers.pop());
    let let_in = async { while ground.viewer(&gateway, &unique("C")).await.is_err() {} };
    tokio::time::timeout(LIMIT, let_in).await.expect("a place is free again");
    // Ten a second: a tenth of it, and one, for each address.
    let settings = [("LIMIT_CONNECTS_PER_SECOND", "10")];
    let gateway = ground.gateway(&redis, &settings).await.unwrap();
    let answers = join_all((0..20).map(|_| refused(&gateway))).await;
    let spread = answers.iter().filter(|answer| answer.status() == 503).count();
    assert!(spread >= 15, "{spread} of 20 were told to come a little later");
    ground.end().await;
}

#[tokio::test]
async fn an_operator_sees_who_watches_and_ends_a_connection_wherever_it_is() {
    let stack = Stack::running().unwrap();
    let (customer, order) = (unique("C"), unique("WATCH"));
    let token = stack.rest.token(&customer, &[&order]).await.unwrap();
    let mut viewer = LiveClient::connect(&stack.manifest.gateways[1], &token).await.unwrap();
    let channel = format!("order:{order}");
    viewer.subscribe(&channel, None).await.unwrap();
    let path = format!("/v1/live/viewers?channel={channel}");
    let list = async |gateway, key: &str| {
        let request = stack.rest.request(Method::GET, gateway, &path);
        let answer = request.bearer_auth(key).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    // The other gateway asks the one that has it.
    let (_, asked) = list(0, &stack.manifest.operator_key).await;
    let (status, seen) = list(1, &stack.manifest.operator_key).await;
    assert_eq!((status, seen["viewers"].as_array().unwrap().len()), (200, 1), "{seen}");
    assert_eq!((&asked["viewers"], &asked["missing"]), (&seen["viewers"], &serde_json::json!(0)));
    let watcher = &seen["viewers"][0];
    assert_eq!(
        (watcher["subject"].as_str(), watcher["transport"].as_str()),
        (Some(&*customer), Some("websocket"))
    );
    assert_eq!(list(1, &stack.manifest.api_key).await.0, 403);
    assert_eq!(list(1, &token).await.0, 403);
    let connection = watcher["connection"].as_str().unwrap();
    let end = async |name: &str| {
        let request = stack.rest.request(Method::DELETE, 0, &format!("/v1/live/viewers/{name}"));
        request.bearer_auth(&stack.manifest.operator_key).send().await.unwrap().status()
    };
    assert_eq!(end("../x").await, 404);
    assert_eq!(end("x").await, 400);
    assert_eq!(end(connection).await, 204);
    assert_eq!(viewer.wait_close(LIMIT).await.unwrap(), 4403);
    // Its token is as good as before.
    LiveClient::connect(&stack.manifest.gateways[1], &token).await.unwrap();
    assert_eq!(list(1, &stack.manifest.operator_key).await.1["viewers"], serde_json::json!([]));
}
