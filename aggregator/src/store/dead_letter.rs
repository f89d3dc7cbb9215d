//! Refused records, untouched.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};

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
    /// First receipt.
    pub received_at: DateTime<Utc>,
}

/// Keeps a refused record; one that is known already is kept once.
///
/// # Errors
/// When the database is away.
pub async fn put(connection: &mut PgConnection, letter: &DeadLetter) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into dead_letters (source, reason, detail, topic, partition, position, order_id, value, received_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (topic, partition, position) do nothing",
        letter.source,
        letter.reason,
        letter.detail,
        letter.topic,
        letter.partition,
        letter.position,
        letter.order_id,
        letter.value,
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
    let rows = sqlx::query!(
        "select id, source, reason, detail, topic, partition, position, order_id, value, received_at
         from dead_letters where not published order by id limit $1",
        most
    )
    .fetch_all(pool)
    .await?;
    let letters = rows.into_iter().map(|row| {
        let letter = DeadLetter {
            source: row.source,
            reason: row.reason,
            detail: row.detail,
            topic: row.topic,
            partition: row.partition,
            position: row.position,
            order_id: row.order_id,
            value: row.value,
            received_at: row.received_at,
        };
        (row.id, letter)
    });
    Ok(letters.collect())
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
