//! What every service may read on the live bus: one message for each version, as JSON.

use contract::name::Shard;
use devstack::testing::{Stack, unique};
use futures_util::StreamExt;
use serde_json::{Value, json};
use service_kit::clock;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_version_is_published_with_its_number_and_its_whole_state() {
    let stack = Stack::running().unwrap();
    let order = unique("BUS");
    let channel = format!("order:{order}");
    let shard = Shard::of(&channel);
    let client = redis::Client::open(stack.manifest.redis_url.clone()).unwrap();
    let mut pubsub = client.get_async_pubsub().await.unwrap();
    pubsub.subscribe(shard.pubsub()).await.unwrap();
    let placed = json!({"event": "order.placed", "order_no": order, "at": clock::now().to_rfc3339(),
        "customer": {"id": format!("C-{order}")}, "items": []});
    stack.say("source.shop", &placed).await.unwrap();
    let mut messages = pubsub.on_message();
    let ours = async {
        loop {
            let message = messages.next().await.unwrap();
            let body: Value = serde_json::from_slice(message.get_payload_bytes()).unwrap();
            if body["channel"] == channel.as_str() {
                return body;
            }
        }
    };
    let body = tokio::time::timeout(LIMIT, ours).await.unwrap();
    assert_eq!((&body["version"], &body["data"]["order"]), (&json!(1), &json!(order)));
    assert!(body["seq"].is_u64() && body["at_ms"].is_u64(), "{body}");
    assert!(body["traceparent"].as_str().is_some_and(|trace| trace.starts_with("00-")), "{body}");
    // The gateways understand it: what they cannot read, they have to look up again.
    for admin in &stack.manifest.admin.gateways {
        let broken = r#"why="broken_publication""#;
        assert!(stack.metric(admin, "gateway_refused_total", broken).await.unwrap() < 1.0);
    }
}
