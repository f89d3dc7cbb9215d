//! The tools of the aggregator, run beside the service.

use crate::operate::placed;
use chrono::TimeDelta;
use devstack::testing::{Stack, unique};
use serde_json::json;
use service_kit::clock;
use sqlx::PgPool;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

/// Runs a tool of the aggregator beside the service; what it prints.
pub(crate) async fn tool(stack: &Stack, word: &str, argument: &str) -> String {
    let program = devstack::run::build::binary("aggregator").unwrap();
    let mut command = tokio::process::Command::new(program);
    command.arg(word).args((!argument.is_empty()).then_some(argument));
    let nowhere = "127.0.0.1:1";
    for (name, value) in [
        ("DATABASE_URL", stack.manifest.database_urls["aggregator"].as_str()),
        ("KAFKA_BROKERS", &stack.manifest.kafka_brokers),
        ("HTTP_ADDR", nowhere),
        ("ADMIN_ADDR", nowhere),
        ("REDIS_URL", &stack.manifest.redis_url),
        ("TOKEN_KEYS_FILE", "/dev/null"),
        ("API_KEYS_FILE", "/dev/null"),
    ] {
        command.env(name, value);
    }
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Orders of the first day: brought in twice, known once, and nobody is told.
#[tokio::test]
async fn orders_that_are_under_way_are_brought_in_and_nobody_is_told() {
    let stack = Stack::running().unwrap();
    let order = unique("IMPORT");
    let at = |hours| (clock::now() - TimeDelta::hours(hours)).to_rfc3339();
    let file = std::env::temp_dir().join(format!("{order}.csv"));
    let text = format!(
        "order,placed_at,customer,email,status,status_at,carrier,tracking_number\n{order},{},C-9,{order}@example.com,shipment.handed_over,{},ghn,G{order}\n",
        at(3),
        at(1)
    );
    std::fs::write(&file, text).unwrap();
    for _ in 0..2 {
        let said = tool(&stack, "import", file.to_str().unwrap()).await;
        assert!(said.contains("done: 1 orders"), "{said}");
    }
    std::fs::remove_file(&file).unwrap();
    stack.rest.wait_version(&order, 2, LIMIT).await.unwrap();
    // What happens next is told, and so is known to come after everything that was brought in.
    let delivered = json!({"id": unique("lg"), "carrier": "ghn", "tracking_number": format!("G{order}"), "code": "delivered", "ts": clock::now().timestamp()});
    stack.say("source.logistics", &delivered).await.unwrap();
    let address = format!("{order}@example.com");
    stack.rest.wait_letter(&address, "shipment.delivered", LIMIT).await.unwrap();
    assert_eq!(stack.rest.letters(Some(&address)).await.unwrap().len(), 1);
    assert_eq!(stack.rest.timeline(&order).await.unwrap().unwrap()["version"], 3);
}

#[tokio::test]
async fn timelines_are_rebuilt_as_they_were_and_versions_can_be_raised() {
    let stack = Stack::running().unwrap();
    let order = unique("RISE");
    stack.say("source.shop", &placed(&order)).await.unwrap();
    let before = stack.rest.wait_version(&order, 1, LIMIT).await.unwrap();
    let run = |word: &'static str| tool(&stack, word, &order);
    let rebuilt = run("rebuild").await;
    assert!(rebuilt.contains("0 written anew"), "{rebuilt}");
    assert_eq!(stack.rest.timeline(&order).await.unwrap().unwrap(), before);
    run("raise-versions").await;
    let raised = stack.rest.wait_version(&order, 1_000_000, LIMIT).await.unwrap();
    let confirmed =
        json!({"event": "order.confirmed", "order_no": order, "at": clock::now().to_rfc3339()});
    stack.say("source.shop", &confirmed).await.unwrap();
    let next = raised["version"].as_u64().unwrap() + 1;
    assert_eq!(stack.rest.wait_version(&order, next, LIMIT).await.unwrap()["version"], next);
}

/// A month of long ago goes with its orders and all that is known of them; whoever comes back later
/// begins anew.
#[tokio::test]
async fn an_order_of_long_ago_is_forgotten_with_its_events() {
    let stack = Stack::running().unwrap();
    let (old, young) = (unique("OLD"), unique("YOUNG"));
    for order in [&old, &young] {
        stack.say("source.shop", &placed(order)).await.unwrap();
        stack.rest.wait_version(order, 1, LIMIT).await.unwrap();
    }
    let database = PgPool::connect(&stack.manifest.database_urls["aggregator"]).await.unwrap();
    let aged = "with aged as (update events set month = date '2020-01-01' where order_id = $1)
         update orders set month = date '2020-01-01' where order_id = $1";
    sqlx::query(aged).bind(&old).execute(&database).await.unwrap();
    let said = tool(&stack, "forget", "").await;
    assert!(said.contains("orders and 0 refused records forgotten"), "{said}");
    assert!(stack.rest.timeline(&old).await.unwrap().is_none());
    let left = "select count(*) from events where order_id = $1";
    assert_eq!(
        sqlx::query_scalar::<_, i64>(left).bind(&old).fetch_one(&database).await.unwrap(),
        0
    );
    assert!(stack.rest.timeline(&young).await.unwrap().is_some());
    stack.say("source.shop", &placed(&old)).await.unwrap();
    assert_eq!(stack.rest.wait_version(&old, 1, LIMIT).await.unwrap()["version"], 1);
}
