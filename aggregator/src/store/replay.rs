//! Refused records that are being driven again: how far each run is.

use super::dead_letter::Filter;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

/// A run.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct Replay {
    /// Its name.
    #[schema(value_type = String, example = "0198c0de-0000-7000-8000-000000000001")]
    pub id: Uuid,
    /// Of this source alone.
    #[schema(example = "ghn")]
    pub source: Option<String>,
    /// With this label alone.
    #[schema(example = "bad_time")]
    pub reason: Option<String>,
    /// The last record that it takes.
    #[serde(skip)]
    pub up_to: i64,
    /// The last record that it took.
    #[serde(skip)]
    pub at: i64,
    /// How many there were when it began.
    #[schema(example = 1200)]
    pub total: i64,
    /// How many were driven again.
    #[schema(example = 640)]
    pub done: i64,
    /// `running`, `stopped`, `finished`.
    #[schema(example = "running")]
    pub state: String,
    /// When it began.
    #[schema(example = "2026-11-20T09:40:06Z")]
    pub created_at: DateTime<Utc>,
}

/// Begins a run over everything that fits and was not driven again yet.
///
/// # Errors
/// When the database is away.
pub async fn begin(pool: &PgPool, id: Uuid, filter: Filter<'_>) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into replays (id, source, reason, up_to, total)
         select $1, $2, $3, coalesce(max(id), 0), count(*) from dead_letters
         where replayed_at is null and ($2::text is null or source = $2) and ($3::text is null or reason = $3)",
        id,
        filter.source,
        filter.reason
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// How far a run is.
///
/// # Errors
/// When the database is away.
pub async fn read(pool: &PgPool, id: Uuid) -> Result<Option<Replay>, sqlx::Error> {
    sqlx::query_as!(
        Replay,
        "select id, source, reason, up_to, at, total, done, state, created_at from replays where id = $1",
        id
    )
    .fetch_optional(pool)
    .await
}

/// Stops a run after the portion in hand; tells whether it was running.
///
/// # Errors
/// When the database is away.
pub async fn stop(pool: &PgPool, id: Uuid) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update replays set state = 'stopped' where id = $1 and state = 'running'",
        id
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Claims a run that nobody else works on, until the end of the transaction.
///
/// # Errors
/// When the database is away.
pub async fn claim(connection: &mut PgConnection) -> Result<Option<Replay>, sqlx::Error> {
    sqlx::query_as!(
        Replay,
        "select id, source, reason, up_to, at, total, done, state, created_at from replays
         where state = 'running' order by created_at limit 1 for update skip locked"
    )
    .fetch_optional(connection)
    .await
}

/// Notes how far a run is.
///
/// # Errors
/// When the database is away.
pub async fn advance(
    connection: &mut PgConnection,
    id: Uuid,
    at: i64,
    more: i64,
    finished: bool,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update replays set at = $2, done = done + $3, state = case when $4 then 'finished' else state end where id = $1",
        id,
        at,
        more,
        finished
    )
    .execute(connection)
    .await?;
    Ok(())
}
