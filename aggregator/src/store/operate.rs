//! What operators read: lists, a page at a time.

use super::dead_letter::Filter;
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use sqlx::types::Json;

/// A refused record in a list: everything but its value.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct LetterLine {
    /// Number.
    #[schema(example = 41)]
    pub id: i64,
    /// The source that it came from.
    #[schema(example = "ghn")]
    pub source: String,
    /// Label of the refusal.
    #[schema(example = "bad_time")]
    pub reason: String,
    /// One sentence.
    #[schema(example = "\"yesterday\" is no time")]
    pub detail: String,
    /// Topic.
    #[schema(example = "source.ghn")]
    pub topic: String,
    /// Partition.
    #[schema(example = 3)]
    pub partition: i32,
    /// Offset.
    #[schema(example = 1187)]
    pub offset: i64,
    /// The order, when the refusal came after it was read.
    #[schema(example = "TM-1042")]
    pub order: Option<String>,
    /// First receipt.
    #[schema(example = "2026-11-20T09:40:06Z")]
    pub received_at: DateTime<Utc>,
    /// When it was driven again.
    #[schema(example = "2026-11-20T09:40:06Z")]
    pub replayed_at: Option<DateTime<Utc>>,
}

/// Refused records, the newest first, before a number.
///
/// # Errors
/// When the database is away.
pub async fn dead_letters(
    pool: &PgPool,
    filter: Filter<'_>,
    before: i64,
    most: i64,
) -> Result<Vec<LetterLine>, sqlx::Error> {
    sqlx::query_as!(
        LetterLine,
        r#"select id, source, reason, detail, topic, partition, position as "offset", order_id as "order",
           received_at, replayed_at
         from dead_letters
         where id < $1 and ($2::text is null or source = $2) and ($3::text is null or reason = $3)
         order by id desc limit $4"#,
        before,
        filter.source,
        filter.reason,
        most
    )
    .fetch_all(pool)
    .await
}

/// An event that waits.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct ParkedLine {
    /// What it waits for, source and id of the event.
    #[schema(example = "TM-1042 logistics:scan-91")]
    pub key: String,
    /// The order that it waits for.
    #[schema(example = "TM-1042")]
    pub order: Option<String>,
    /// The name that it waits to be told.
    #[schema(example = "tracking:GHN8K2")]
    pub alias: Option<String>,
    /// What it will say.
    #[schema(example = "shipment.in_transit")]
    pub milestone: Option<String>,
    /// Since when it waits.
    #[schema(example = "2026-11-20T09:40:06Z")]
    pub parked_at: DateTime<Utc>,
}

/// Events that wait, after a key.
///
/// # Errors
/// When the database is away.
pub async fn parked(pool: &PgPool, after: &str, most: i64) -> Result<Vec<ParkedLine>, sqlx::Error> {
    sqlx::query_as!(
        ParkedLine,
        r#"select key, order_id as "order", alias, draft ->> 'milestone' as milestone, parked_at
         from parked where key > $1 order by key limit $2"#,
        after,
        most
    )
    .fetch_all(pool)
    .await
}

/// A code that no table knows.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct UnmappedLine {
    /// The source.
    #[schema(example = "ghn")]
    pub source: String,
    /// The vendor's code.
    #[schema(example = "sorting_lost")]
    pub code: String,
    /// How often it came.
    #[schema(example = 12)]
    pub seen: i64,
    /// When it came first.
    #[schema(example = "2026-11-20T09:40:06Z")]
    pub first_at: DateTime<Utc>,
    /// When it came last.
    #[schema(example = "2026-11-20T09:40:06Z")]
    pub last_at: DateTime<Utc>,
}

/// The codes that no table knows, the most frequent first.
///
/// # Errors
/// When the database is away.
pub async fn unmapped(pool: &PgPool, most: i64) -> Result<Vec<UnmappedLine>, sqlx::Error> {
    sqlx::query_as!(
        UnmappedLine,
        "select source, code, seen, first_at, last_at from unmapped order by seen desc, source, code limit $1",
        most
    )
    .fetch_all(pool)
    .await
}

/// An event of an order, with its fate.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct EventLine {
    /// `accepted`, `info` (kept for operators), `parked` or `dead`.
    #[schema(example = "accepted")]
    pub fate: String,
    /// Why, of a dead one.
    #[schema(example = "bad_time")]
    pub reason: Option<String>,
    /// First receipt.
    #[schema(example = "2026-11-20T09:40:06Z")]
    pub received_at: DateTime<Utc>,
    /// The canonical event; of a parked one, as it was read.
    #[schema(value_type = Option<Object>)]
    pub event: Option<Json<serde_json::Value>>,
    /// Topic of its record.
    #[schema(example = "source.logistics")]
    pub topic: Option<String>,
    /// Partition of its record.
    #[schema(example = 3)]
    pub partition: Option<i32>,
    /// Offset of its record.
    #[schema(example = 1187)]
    pub offset: Option<i64>,
    /// Of a dead one: its number, as in `/v1/dead-letters/{id}`.
    #[schema(example = 42)]
    pub dead_letter: Option<i64>,
}

/// Every event of an order, in the order of receipt.
///
/// # Errors
/// When the database is away.
pub async fn events(pool: &PgPool, order: &str) -> Result<Vec<EventLine>, sqlx::Error> {
    sqlx::query_as!(
        EventLine,
        r#"select case when milestone like 'info.%' then 'info' else 'accepted' end as "fate!", null as reason,
             received_at as "received_at!", event as "event: Json<serde_json::Value>", topic, partition,
             position as "offset", null::bigint as dead_letter
           from events where order_id = $1
         union all
           select 'parked', null, parked_at, draft::json, null, null, null, null from parked where order_id = $1
         union all
           select 'dead', reason, received_at, null, topic, partition, position, id from dead_letters where order_id = $1
         order by 3"#,
        order
    )
    .fetch_all(pool)
    .await
}

/// Who may look an order up: the customer's address and number.
///
/// # Errors
/// When the database is away.
pub async fn contacts(
    pool: &PgPool,
    order: &str,
) -> Result<Option<(Option<String>, Option<String>)>, sqlx::Error> {
    let row = sqlx::query!(
        "select customer ->> 'email' as email, customer ->> 'phone' as phone from orders where order_id = $1",
        order
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| (row.email, row.phone)))
}
