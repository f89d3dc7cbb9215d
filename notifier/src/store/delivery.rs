//! Claiming deliveries, and writing what came of them.
//!
//! A claim is a lease with a fencing number: only the newest holder may write, so a process that
//! was stopped and woke up late changes nothing.

use crate::letter::Context;
use chrono::{DateTime, Utc};
use sqlx::PgPool;
use sqlx::types::Json;
use uuid::Uuid;

/// A delivery that is ours until the lease ends.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Its number; part of the letter's Message-ID.
    pub id: Uuid,
    /// Ours among all claims of it.
    pub fence: i32,
    /// Number of the attempt, from 1.
    pub attempt: i32,
    /// The channel.
    pub channel: String,
    /// To whom.
    pub recipient: String,
    /// Language tag.
    pub language: String,
    /// What a letter needs.
    pub context: Json<Context>,
    /// By when it has to be told.
    pub deadline_at: DateTime<Utc>,
    /// When the event was accepted.
    pub created_at: DateTime<Utc>,
}

/// Claims what is due; nobody else gets it before the lease ends.
///
/// # Errors
/// When the database is away.
pub async fn claim(
    pool: &PgPool,
    now: DateTime<Utc>,
    leased_until: DateTime<Utc>,
    most: i64,
) -> Result<Vec<Claimed>, sqlx::Error> {
    sqlx::query_as!(
        Claimed,
        r#"update deliveries d
           set leased_until = $2, fence = d.fence + 1, attempts = d.attempts + 1
           from notifications n
           where n.id = d.notification_id and d.id in (
             select id from deliveries
             where state = 'pending' and next_at <= $1 and (leased_until is null or leased_until < $1)
             order by next_at limit $3 for update skip locked)
           returning d.id, d.fence, d.attempts as attempt, d.channel, d.recipient, n.language,
             n.context as "context: Json<Context>", d.deadline_at, d.created_at"#,
        now,
        leased_until,
        most
    )
    .fetch_all(pool)
    .await
}

/// One attempt, for the log.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub took_ms: i32,
    /// Label of the outcome.
    pub outcome: &'static str,
    /// The provider's words, shortened.
    pub detail: String,
}

/// Where a delivery goes from here.
#[derive(Debug, Clone, Copy)]
pub enum Next {
    /// It is over: state and reason.
    Over(&'static str, &'static str),
    /// It is tried again.
    At(DateTime<Utc>),
}

/// Writes an attempt and what follows from it, in one transaction. False when somebody else
/// claimed the delivery meanwhile; then nothing is written.
///
/// # Errors
/// When the database is away.
pub async fn record(
    pool: &PgPool,
    claimed: &Claimed,
    attempt: &Attempt,
    next: Next,
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let (state, reason, next_at) = match next {
        Next::Over(state, reason) => (state, Some(reason).filter(|r| !r.is_empty()), now),
        Next::At(time) => ("pending", None, time),
    };
    let mut transaction = pool.begin().await?;
    let done = sqlx::query!(
        "update deliveries set state = $3, reason = $4, next_at = $5, leased_until = null,
           done_at = case when $3 = 'pending' then null else $6::timestamptz end
         where id = $1 and fence = $2 and state = 'pending'",
        claimed.id,
        claimed.fence,
        state,
        reason,
        next_at,
        now
    )
    .execute(&mut *transaction)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!(
        "insert into attempts (delivery_id, number, started_at, took_ms, outcome, detail)
         values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        claimed.id,
        claimed.attempt,
        attempt.started_at,
        attempt.took_ms,
        attempt.outcome,
        attempt.detail
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(true)
}
