//! Refused records, untouched.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use std::collections::HashMap;

/// A refused record.
#[derive(Debug, Clone)]
pub struct DeadLetter {
    /// The source that it came from.
    pub source: String,
    /// Label of the refusal.
    pub reason: String,
    /// One sentence.
    pub detail: String,
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub position: i64,
    /// The order, when the refusal came after it was read.
    pub order_id: Option<String>,
    /// The value, untouched.
    pub value: Vec<u8>,
    /// The record's headers: who signed it is one of them.
    pub headers: HashMap<String, String>,
    /// First receipt.
    pub received_at: DateTime<Utc>,
}

struct Row {
    id: i64,
    source: String,
    reason: String,
    detail: String,
    topic: String,
    partition: i32,
    position: i64,
    order_id: Option<String>,
    value: Vec<u8>,
    headers: Json<HashMap<String, String>>,
    received_at: DateTime<Utc>,
}

impl Row {
    fn letter(self) -> (i64, DeadLetter) {
        let letter = DeadLetter {
            source: self.source,
            reason: self.reason,
            detail: self.detail,
            topic: self.topic,
            partition: self.partition,
            position: self.position,
            order_id: self.order_id,
            value: self.value,
            headers: self.headers.0,
            received_at: self.received_at,
        };
        (self.id, letter)
    }
}

/// Which refused records are meant; none of the two means all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter<'a> {
    /// Of this source.
    pub source: Option<&'a str>,
    /// With this label.
    pub reason: Option<&'a str>,
}

/// Keeps a refused record; one that is known already is kept once.
///
/// # Errors
/// When the database is away.
pub async fn put(connection: &mut PgConnection, letter: &DeadLetter) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into dead_letters (source, reason, detail, topic, partition, position, order_id, value, headers, received_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (topic, partition, position) do update set published = false, replayed_at = null, refused_at = now()
         where dead_letters.topic like 'parked:%'",
        letter.source,
        letter.reason,
        letter.detail,
        letter.topic,
        letter.partition,
        letter.position,
        letter.order_id,
        letter.value,
        Json(&letter.headers) as _,
        letter.received_at
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The oldest ones that the dead-letter topic does not have, with their numbers.
///
/// # Errors
/// When the database is away.
pub async fn unpublished(pool: &PgPool, most: i64) -> Result<Vec<(i64, DeadLetter)>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id, source, reason, detail, topic, partition, position, order_id, value,
           headers as "headers: Json<HashMap<String, String>>", received_at
         from dead_letters where not published order by id limit $1"#,
        most
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(Row::letter).collect())
}

/// One of them, with when it was driven again.
///
/// # Errors
/// When the database is away.
pub async fn one(
    pool: &PgPool,
    id: i64,
) -> Result<Option<(DeadLetter, Option<DateTime<Utc>>)>, sqlx::Error> {
    let replayed = sqlx::query_scalar!("select replayed_at from dead_letters where id = $1", id)
        .fetch_optional(pool)
        .await?;
    let row = sqlx::query_as!(
        Row,
        r#"select id, source, reason, detail, topic, partition, position, order_id, value,
           headers as "headers: Json<HashMap<String, String>>", received_at
         from dead_letters where id = $1"#,
        id
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.zip(replayed).map(|(row, replayed)| (row.letter().1, replayed)))
}

/// Those that were not driven again yet, the next ones after a number, for one that drives them
/// again. The rows stay locked.
///
/// # Errors
/// When the database is away.
pub async fn open_after(
    connection: &mut PgConnection,
    filter: Filter<'_>,
    after: i64,
    up_to: i64,
    (records, bytes): (i64, i64),
) -> Result<Vec<(i64, DeadLetter)>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id, source, reason, detail, topic, partition, position, order_id, value,
           headers as "headers: Json<HashMap<String, String>>", received_at
         from dead_letters where id in (
           select id from (
             select id, row_number() over by_id as place, sum(octet_length(value)) over by_id as bytes from (
               select id, value from dead_letters
               where replayed_at is null and id > $1 and id <= $2
                 and ($3::text is null or source = $3) and ($4::text is null or reason = $4)
               order by id limit $5) as next
             window by_id as (order by id)) as sized
           where place = 1 or bytes <= $6)
           and replayed_at is null
         order by id for update"#,
        after,
        up_to,
        filter.source,
        filter.reason,
        records,
        bytes
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Row::letter).collect())
}

/// Is any of them left, locked by somebody or not?
///
/// # Errors
/// When the database is away.
pub async fn any_open(
    connection: &mut PgConnection,
    filter: Filter<'_>,
    after: i64,
    up_to: i64,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select exists (select from dead_letters
           where replayed_at is null and id > $1 and id <= $2
             and ($3::text is null or source = $3) and ($4::text is null or reason = $4)) as "any!""#,
        after,
        up_to,
        filter.source,
        filter.reason
    )
    .fetch_one(connection)
    .await
}

/// Marks those that were driven again.
///
/// # Errors
/// When the database is away.
pub async fn replayed(connection: &mut PgConnection, ids: &[i64]) -> Result<(), sqlx::Error> {
    sqlx::query!("update dead_letters set replayed_at = now() where id = any($1)", ids)
        .execute(connection)
        .await?;
    Ok(())
}

/// Marks those that the topic has.
///
/// # Errors
/// When the database is away.
pub async fn published(pool: &PgPool, ids: &[i64]) -> Result<(), sqlx::Error> {
    sqlx::query!("update dead_letters set published = true where id = any($1)", ids)
        .execute(pool)
        .await?;
    Ok(())
}
