//! Many who read at once, of whom each wants one order.

use devstack::testing::{Stack, unique};
use futures_util::future::join_all;
use reqwest::Client;
use serde_json::{Value, json};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(20);

/// More than are asked for together, and among them some that nobody knows.
#[tokio::test]
async fn who_reads_together_gets_each_the_own_order_and_nobody_elses() {
    let stack = Stack::running().unwrap();
    let known = [unique("READ"), unique("READ"), unique("READ")];
    for order in &known {
        let placed = json!({"event": "order.placed", "order_no": order, "at": service_kit::clock::now().to_rfc3339(),
            "customer": {"id": "C-READ"}, "items": [{"line": "1", "sku": "MUG-01", "title": "Cốc", "quantity": 1}]});
        stack.say("source.shop", &placed).await.unwrap();
    }
    for order in &known {
        stack.rest.wait_version(order, 1, LIMIT).await.unwrap();
    }
    let unknown = unique("NOBODY");
    let asked = || known.iter().chain([&unknown]).cycle().take(400);
    let client = Client::builder().no_proxy().timeout(LIMIT).build().unwrap();
    let told = join_all(asked().map(|order| read(&client, &stack, order))).await;
    for (order, (status, told)) in asked().zip(told) {
        let theirs = known.contains(order).then_some(order.as_str());
        assert_eq!(status, if theirs.is_some() { 200 } else { 404 }, "{order}: {told}");
        assert_eq!(told["order"].as_str(), theirs, "{told}");
    }
}

/// What the aggregator itself answers: the gateways keep what they were told.
async fn read(client: &Client, stack: &Stack, order: &str) -> (u16, Value) {
    let url = format!("{}/v1/orders/{order}/timeline", stack.manifest.aggregator);
    let asked = client.get(url).bearer_auth(&stack.manifest.operator_key).send();
    let answer = asked.await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}
