//! What customers are told, with the channels' parts, each once.

use crate::letter::Context;
use crate::plan::{Occasion, Planned};
use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;
use std::collections::HashSet;
use uuid::Uuid;

/// Notes that these versions of orders are planned; returns those that were not before.
///
/// # Errors
/// When the database is away.
pub async fn first_time(
    connection: &mut PgConnection,
    orders: &[&str],
    versions: &[i64],
) -> Result<HashSet<(String, i64)>, sqlx::Error> {
    let new = sqlx::query!(
        "insert into handled (order_id, version) select o, v from unnest($1::text[], $2::bigint[]) as new (o, v)
         on conflict do nothing returning order_id, version",
        orders as _,
        versions
    )
    .fetch_all(connection)
    .await?;
    Ok(new.into_iter().map(|row| (row.order_id, row.version)).collect())
}

/// A notification to add.
#[derive(Debug)]
pub struct New<'a> {
    /// `order:<id>`.
    pub subject: &'a str,
    /// The occasion.
    pub occasion: Occasion,
    /// 1, and one more for each time that the milestone was withdrawn.
    pub occasion_version: i32,
    /// The customer's number.
    pub customer: &'a str,
    /// Language tag.
    pub language: &'a str,
    /// What a letter needs.
    pub context: &'a Context,
    /// When the event was accepted.
    pub accepted_at: DateTime<Utc>,
    /// By when it has to be told.
    pub deadline_at: DateTime<Utc>,
}

/// Adds a notification, unless the customer was told of the occasion before. Its number, if new.
///
/// # Errors
/// When the database is away or refuses a value.
pub async fn add(
    connection: &mut PgConnection,
    new: &New<'_>,
) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "insert into notifications
           (id, subject, occasion, occasion_version, place, customer_id, language, context, created_at, deadline_at)
         values ($1, $2, $3, $10, $4, $5, $6, $7, $8, $9)
         on conflict (subject, occasion, occasion_version, customer_id) do nothing returning id",
        Uuid::now_v7(),
        new.subject,
        new.occasion.milestone.code(),
        new.occasion.place,
        new.customer,
        new.language,
        Json(new.context) as _,
        new.accepted_at,
        new.deadline_at,
        new.occasion_version
    )
    .fetch_optional(connection)
    .await
}

/// Is a later place of the subject's story told by a letter, or will it be?
///
/// # Errors
/// When the database is away.
pub async fn overtaken(
    connection: &mut PgConnection,
    subject: &str,
    place: i16,
) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_scalar!(
        r#"select exists (
             select from deliveries where subject = $1 and place > $2 and $2 > 0 and channel = 'email'
               and state in ('pending', 'accepted', 'delivered')) as "found!""#,
        subject,
        place
    )
    .fetch_one(connection)
    .await?;
    Ok(found)
}

/// How a part begins.
#[derive(Debug, Clone, Copy)]
pub struct Beginning {
    /// State.
    pub state: &'static str,
    /// Reason of a state that is an end already.
    pub reason: Option<&'static str>,
    /// Now.
    pub now: DateTime<Utc>,
}

/// Adds one channel's part.
///
/// # Errors
/// When the database is away or refuses a value.
pub async fn add_delivery(
    connection: &mut PgConnection,
    notification: Uuid,
    new: &New<'_>,
    planned: &Planned,
    beginning: Beginning,
) -> Result<(), sqlx::Error> {
    let over = beginning.state != "pending";
    sqlx::query!(
        "insert into deliveries (id, notification_id, subject, occasion, occasion_version, place, channel, recipient,
           state, reason, next_at, deadline_at, created_at, done_at)
         values ($1, $2, $3, $4, $14, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         on conflict (subject, occasion, occasion_version, recipient, channel) do nothing",
        Uuid::now_v7(),
        notification,
        new.subject,
        new.occasion.milestone.code(),
        new.occasion.place,
        planned.channel.code(),
        planned.recipient,
        beginning.state,
        beginning.reason,
        beginning.now,
        new.deadline_at,
        new.accepted_at,
        over.then_some(beginning.now),
        new.occasion_version
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A later place makes letters of earlier ones that nobody has begun to send pointless.
///
/// # Errors
/// When the database is away.
pub async fn supersede(
    connection: &mut PgConnection,
    subject: &str,
    place: i16,
    now: DateTime<Utc>,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "update deliveries set state = 'superseded', reason = 'later_news', done_at = $3
         where subject = $1 and place > 0 and place < $2 and state = 'pending'
           and (leased_until is null or leased_until < $3)",
        subject,
        place,
        now
    )
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}
