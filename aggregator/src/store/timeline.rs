//! The state snapshot of each order.

use super::texts::Texts;
use contract::timeline::Timeline;
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use std::collections::HashMap;

/// The timelines of these orders as their JSON texts, with their versions.
///
/// # Errors
/// When the database is away.
pub async fn read(
    pool: &PgPool,
    orders: &[String],
) -> Result<HashMap<String, (i64, String)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select order_id, version, document::text as "document!" from timelines where order_id = any($1)"#,
        orders
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.order_id, (row.version, row.document))).collect())
}

/// The timelines of these orders.
///
/// # Errors
/// When the database is away.
pub async fn read_all(
    connection: &mut PgConnection,
    orders: &[String],
) -> Result<HashMap<String, Value>, sqlx::Error> {
    let rows =
        sqlx::query!("select order_id, document from timelines where order_id = any($1)", orders)
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().map(|row| (row.order_id, row.document)).collect())
}

/// The timelines of delivered orders, the newest first.
///
/// # Errors
/// When the database is away.
pub async fn finished(pool: &PgPool, most: i64) -> Result<Vec<Timeline>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select document as "document: Json<Timeline>" from timelines
         where status = 'shipment.delivered' order by updated_at desc limit $1"#,
        most
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| row.document.0).collect())
}

/// Writes the newest states of orders; the caller holds their locks.
///
/// # Errors
/// When the database is away or refuses a value.
pub async fn put(
    connection: &mut PgConnection,
    timelines: &[Timeline],
    documents: Texts<'_>,
) -> Result<(), sqlx::Error> {
    let orders: Vec<String> = timelines.iter().map(|t| t.order.to_string()).collect();
    let versions: Vec<i64> =
        timelines.iter().map(|t| i64::try_from(t.version).unwrap_or(i64::MAX)).collect();
    let statuses: Vec<String> = timelines.iter().map(|t| t.status.code().to_owned()).collect();
    let updated: Vec<_> = timelines.iter().map(|t| t.updated_at).collect();
    sqlx::query!(
        "insert into timelines (order_id, version, status, document, updated_at)
         select o, v, s, d::json, u
         from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[]) as new (o, v, s, d, u)
         on conflict (order_id) do update
         set version = excluded.version, status = excluded.status, document = excluded.document,
             updated_at = excluded.updated_at",
        &orders,
        &versions,
        &statuses,
        documents as _,
        &updated
    )
    .execute(connection)
    .await?;
    Ok(())
}
