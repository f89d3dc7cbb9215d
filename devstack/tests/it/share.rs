//! What is published is shared out among all aggregators that are there.

use devstack::testing::Stack;
use sqlx::PgPool;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Well above what the leases take.
const LIMIT: Duration = Duration::from_secs(15);

/// Waits until so many lanes are held; returns them.
async fn held(database: &PgPool, count: usize) -> Vec<i16> {
    let (started, held) = (
        Instant::now(),
        "select lane from lanes where owner is not null and until > now() order by lane",
    );
    loop {
        let lanes: Vec<i16> = sqlx::query_scalar(held).fetch_all(database).await.unwrap();
        if lanes.len() == count {
            return lanes;
        }
        assert!(started.elapsed() < LIMIT, "{lanes:?} are held, not {count}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A second one that only says that it is there: half of the lanes are free for it, and taken again
/// when it is gone.
#[tokio::test]
async fn whoever_comes_gets_a_share_of_the_lanes() {
    let stack = Stack::running().unwrap();
    let database = PgPool::connect(&stack.manifest.database_urls["aggregator"]).await.unwrap();
    held(&database, 8).await;
    let second = Uuid::now_v7();
    let come = "insert into publishers (owner, until) values ($1, now() + interval '30 seconds')";
    sqlx::query(come).bind(second).execute(&database).await.unwrap();
    assert_eq!(held(&database, 4).await, [0, 1, 2, 3], "the first ones stay");
    let go = "delete from publishers where owner = $1";
    sqlx::query(go).bind(second).execute(&database).await.unwrap();
    held(&database, 8).await;
}
