//! While one aggregator has a backlog to read, none says what the clock alone makes true.

use crate::operate::placed;
use chrono::{DateTime, TimeDelta, Utc};
use devstack::testing::{Stack, unique};
use service_kit::clock;
use service_kit::kafka::Outgoing;
use sqlx::PgPool;
use std::time::Duration;
use tokio::time::Instant;

/// It is quiet for ten seconds after the last sign of a backlog.
const QUIET: TimeDelta = TimeDelta::seconds(9);
const LIMIT: Duration = Duration::from_mins(1);

#[tokio::test]
async fn nobody_speaks_while_another_has_a_backlog() {
    let stack = Stack::running().unwrap();
    let database = PgPool::connect(&stack.manifest.database_urls["aggregator"]).await.unwrap();
    let noted = "update backlog set at = clock_timestamp() + interval '1 second' returning at";
    let read: DateTime<Utc> = sqlx::query_scalar(noted).fetch_one(&database).await.unwrap();
    // Nothing was heard of it for days: it stands still as soon as it is known.
    let order = unique("QUIET");
    let long_ago = (clock::now() - TimeDelta::days(5)).to_rfc3339();
    let record = Outgoing::new("source.shop", "", placed(&order).to_string());
    stack.producer.send(&[record.header("received-at", long_ago)]).await.unwrap();
    let (end, noted) = (Instant::now() + LIMIT, "select noted_at from silent where order_id = $1");
    let noted: DateTime<Utc> = loop {
        let row = sqlx::query_scalar(noted).bind(&order).fetch_optional(&database).await.unwrap();
        if let Some(at) = row {
            break at;
        }
        assert!(Instant::now() < end, "nobody notes that {order} stands still");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert!(noted - read > QUIET, "{order} was spoken of {} after the backlog", noted - read);
}
