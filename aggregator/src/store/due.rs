//! The index of due times: one row for each order and kind.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// Replaces the due times of orders whose locks are held. Most stay as they are: those are not touched.
///
/// # Errors
/// When the database is away.
pub async fn put(
    connection: &mut PgConnection,
    orders: &[String],
    due: &[(String, &'static str, DateTime<Utc>)],
) -> Result<(), sqlx::Error> {
    let ids: Vec<String> = due.iter().map(|(order, ..)| order.clone()).collect();
    let kinds: Vec<String> = due.iter().map(|(_, kind, _)| (*kind).to_owned()).collect();
    let times: Vec<_> = due.iter().map(|(.., at)| *at).collect();
    sqlx::query!(
        "with old as materialized (
             select ctid as place, order_id, kind, at from due where order_id = any($1)),
           new as materialized (
             select * from unnest($2::text[], $3::text[], $4::timestamptz[]) as new (order_id, kind, at)),
           put as (
             insert into due (order_id, kind, at)
             select * from new where (order_id, kind, at) not in (select order_id, kind, at from old)
             on conflict (order_id, kind) do update set at = excluded.at)
         delete from due where ctid = any (array (
           select place from old where (order_id, kind) not in (select order_id, kind from new)))",
        orders,
        &ids,
        &kinds,
        &times
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Orders with something due, the longest first, without a lock on them.
///
/// # Errors
/// When the database is away.
pub async fn candidates(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
    most: i64,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "select order_id from
           (select order_id, at from due where at <= $1 order by at limit $2) as first
         group by order_id order by min(at)",
        now,
        most
    )
    .fetch_all(connection)
    .await
}

/// Claims what is due of these orders, whose locks are held: it is back if the transaction fails.
/// In the pipeline's order (locks first, rows then), so that the two never wait for each other.
///
/// # Errors
/// When the database is away.
pub async fn claim(
    connection: &mut PgConnection,
    now: DateTime<Utc>,
    orders: &[String],
) -> Result<Vec<(String, String)>, sqlx::Error> {
    let rows = sqlx::query!(
        "delete from due where order_id = any($1) and at <= $2 returning order_id, kind",
        orders,
        now
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.order_id, row.kind)).collect())
}

/// Puts one due time back.
///
/// # Errors
/// When the database is away.
pub async fn again(
    connection: &mut PgConnection,
    order: &str,
    kind: &str,
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into due (order_id, kind, at) values ($1, $2, $3)
         on conflict (order_id, kind) do update set at = excluded.at",
        order,
        kind,
        at
    )
    .execute(connection)
    .await?;
    Ok(())
}
