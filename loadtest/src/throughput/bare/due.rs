//! When orders are looked at again, as the aggregator has noted it: their places in its index, not all in one.

use super::Version;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgPool, Row};
use std::collections::HashMap;

/// What stands for the time of an order that has none any more.
pub(super) fn unknown(updated_at: DateTime<Utc>) -> (String, DateTime<Utc>) {
    ("silence".to_owned(), updated_at + TimeDelta::days(2))
}

/// Gives each version one of its order's times, in turn.
pub(super) async fn look_up(pool: &PgPool, versions: &mut [Version]) -> anyhow::Result<()> {
    let orders: Vec<&str> = versions.iter().map(|version| version.order.as_str()).collect();
    let all = "select order_id, kind, at from due where order_id = any($1) order by 1, 2";
    let mut times: HashMap<String, Vec<(String, DateTime<Utc>)>> = HashMap::new();
    for row in sqlx::query(all).bind(orders).fetch_all(pool).await? {
        times.entry(row.get(0)).or_default().push((row.get(1), row.get(2)));
    }
    for version in versions {
        if let Some(times) = times.get_mut(&version.order) {
            times.rotate_left(1);
            version.due.clone_from(&times[0]);
        }
    }
    Ok(())
}
