//! What other systems are asked about, and when next.

use crate::question::Want;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};

/// Replaces what is to be asked of these orders. What stays at its stage keeps its time and its
/// back-off; another stage begins anew, at the time that is given with it.
///
/// # Errors
/// When the database is away.
pub async fn put(
    connection: &mut PgConnection,
    orders: &[String],
    wants: &[(String, Want, DateTime<Utc>)],
) -> Result<(), sqlx::Error> {
    let of: Vec<String> = wants.iter().map(|(order, ..)| order.clone()).collect();
    let sources: Vec<String> = wants.iter().map(|(_, want, _)| want.source.clone()).collect();
    let subjects: Vec<String> = wants.iter().map(|(_, want, _)| want.subject.clone()).collect();
    let stages: Vec<String> = wants.iter().map(|(_, want, _)| want.stage.clone()).collect();
    let intervals: Vec<i64> = wants.iter().map(|(_, w, _)| w.interval.num_seconds()).collect();
    let times: Vec<_> = wants.iter().map(|(.., at)| *at).collect();
    sqlx::query!(
        "with gone as (
           delete from asks where order_id = any($7)
             and (source, subject) not in (select * from unnest($1::text[], $2::text[])))
         insert into asks as known (source, subject, order_id, stage, interval_s, at)
         select distinct on (s, n) s, n, o, g, i, t from unnest(
           $1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[]
         ) as new (s, n, o, g, i, t)
         order by s, n, t desc
         on conflict (source, subject) do update set
           order_id = excluded.order_id, stage = excluded.stage, interval_s = excluded.interval_s,
           misses = case when known.stage = excluded.stage then known.misses else 0 end,
           at = case when known.stage = excluded.stage then known.at else excluded.at end",
        &sources,
        &subjects,
        &of,
        &stages,
        &intervals,
        &times,
        orders
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Something to ask now.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The parcel's or the order's number.
    pub subject: String,
    /// The order.
    pub order_id: String,
    /// Where it stood when it was put down.
    pub stage: String,
    /// Seconds between two calls.
    pub interval_s: i64,
    /// Answers without news.
    pub misses: i32,
    /// Digest of the last answer.
    pub digest: Option<Vec<u8>>,
}

/// Claims what a source is to be asked now; nobody else asks it until `lease`.
///
/// # Errors
/// When the database is away.
pub async fn claim(
    pool: &PgPool,
    source: &str,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
    most: i64,
) -> Result<Vec<Ask>, sqlx::Error> {
    sqlx::query_as!(
        Ask,
        "update asks set at = $3 where source = $1 and subject in (
           select subject from asks where source = $1 and at <= $2
           order by at limit $4 for update skip locked)
         returning subject, order_id, stage, interval_s, misses, digest",
        source,
        now,
        lease,
        most
    )
    .fetch_all(pool)
    .await
}

/// Gives back what was claimed until `lease` and not asked: it is due `at`. What somebody else has
/// taken over meanwhile stays as it is.
///
/// # Errors
/// When the database is away; then the lease ends by itself.
pub async fn give_back(
    pool: &PgPool,
    source: &str,
    subject: &str,
    lease: DateTime<Utc>,
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update asks set at = $4 where source = $1 and subject = $2 and at = $3",
        source,
        subject,
        lease,
        at
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Notes an answer, unless the order went on to another stage meanwhile.
///
/// # Errors
/// When the database is away.
pub async fn answered(
    pool: &PgPool,
    source: &str,
    ask: &Ask,
    at: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update asks set at = $4, misses = $5, digest = $6
         where source = $1 and subject = $2 and stage = $3",
        source,
        ask.subject,
        ask.stage,
        at,
        ask.misses,
        ask.digest
    )
    .execute(pool)
    .await?;
    Ok(())
}
