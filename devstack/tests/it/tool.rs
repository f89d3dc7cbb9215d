//! The tools of the aggregator, run beside the service.

use crate::operate::placed;
use chrono::TimeDelta;
use devstack::testing::{Stack, unique};
use serde_json::json;
use service_kit::clock;
use sqlx::PgPool;
use std::process::Output;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

/// Runs a tool of the aggregator beside the service.
async fn run(stack: &Stack, word: &str, argument: &str) -> Output {
    let words = [word, argument];
    let words = if argument.is_empty() { &words[..1] } else { &words };
    devstack::run::tool::tool(&stack.manifest, words).unwrap().output().await.unwrap()
}

/// Runs a tool that does what it is asked for; what it prints.
pub(crate) async fn tool(stack: &Stack, word: &str, argument: &str) -> String {
    let output = run(stack, word, argument).await;
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
    let (placed, handed_over) = (at(3), at(1));
    let text = |email: &str| {
        format!(
            "order,placed_at,customer,email,status,status_at,carrier,tracking_number\n{order},{placed},C-9,{email},shipment.handed_over,{handed_over},ghn,G{order}\n"
        )
    };
    // Given again, with more in it: whom to write to.
    let address = format!("{order}@example.com");
    let texts = [text(""), text(&address), text(&address)];
    for text in texts {
        std::fs::write(&file, text).unwrap();
        let said = tool(&stack, "import", file.to_str().unwrap()).await;
        assert!(said.contains("done: 1 orders"), "{said}");
    }
    std::fs::remove_file(&file).unwrap();
    stack.rest.wait_version(&order, 2, LIMIT).await.unwrap();
    // What happens next is told, and so is known to come after everything that was brought in.
    let delivered = json!({"id": unique("lg"), "carrier": "ghn", "tracking_number": format!("G{order}"), "code": "delivered", "ts": clock::now().timestamp()});
    stack.say("source.logistics", &delivered).await.unwrap();
    stack.rest.wait_letter(&address, "shipment.delivered", LIMIT).await.unwrap();
    assert_eq!(stack.rest.letters(Some(&address)).await.unwrap().len(), 1);
    assert_eq!(stack.rest.timeline(&order).await.unwrap().unwrap()["version"], 4);
}

/// What is due is looked at again, and no version that was published is published anew.
#[tokio::test]
async fn to_rebuild_puts_what_is_due_and_lowers_no_version() {
    let stack = Stack::running().unwrap();
    let (order, unknown) = (unique("AGAIN"), unique("NOBODY"));
    stack.say("source.shop", &placed(&order)).await.unwrap();
    stack.rest.wait_version(&order, 1, LIMIT).await.unwrap();
    let database = PgPool::connect(&stack.manifest.database_urls["aggregator"]).await.unwrap();
    let due = "select count(*) from due where order_id = $1";
    let due = || sqlx::query_scalar::<_, i64>(due).bind(&order).fetch_one(&database);
    let before = due().await.unwrap();
    let lost = "delete from due where order_id = $1";
    sqlx::query(lost).bind(&order).execute(&database).await.unwrap();
    tool(&stack, "rebuild", &order).await;
    assert_eq!((before, due().await.unwrap()), (1, 1));
    // As another edition counted: it published version 9 of one event.
    let counted = "update timelines set version = 9, document = (document::jsonb || '{\"version\": 9}')::json where order_id = $1";
    sqlx::query(counted).bind(&order).execute(&database).await.unwrap();
    let said = tool(&stack, "rebuild", &order).await;
    assert!(said.contains("1 written anew"), "{said}");
    stack.rest.wait_version(&order, 10, LIMIT).await.unwrap();
    let none = run(&stack, "rebuild", &unknown).await;
    assert!(!none.status.success() && String::from_utf8_lossy(&none.stderr).contains("not known"));
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
    // A month whose orders are forgotten, and whose events are not: the process ended in between.
    sqlx::query("select make_month(date '2019-05-01')").execute(&database).await.unwrap();
    let said = tool(&stack, "forget", "").await;
    let month = "select to_regclass('events_2019_05') is null";
    assert!(sqlx::query_scalar::<_, bool>(month).fetch_one(&database).await.unwrap());
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
