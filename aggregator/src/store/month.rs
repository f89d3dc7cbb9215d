//! Partitions by month, and what is kept how long.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgPool;

/// Months for which partitions are made ahead.
const AHEAD: i32 = 2;
/// Refused records that go at a time.
const PORTION: i64 = 5_000;

/// Makes the partitions of the next months.
///
/// # Errors
/// When the database is away.
pub async fn make(pool: &PgPool) -> Result<i32, sqlx::Error> {
    let made = sqlx::query_scalar!("select make_months($1)", AHEAD).fetch_one(pool).await?;
    Ok(made.unwrap_or(0))
}

/// Months with orders, all of which were first heard of before a day.
///
/// # Errors
/// When the database is away.
pub async fn before(pool: &PgPool, day: NaiveDate) -> Result<Vec<NaiveDate>, sqlx::Error> {
    sqlx::query_scalar!(
        "select distinct month from orders where month + interval '1 month' <= $1::date order by month",
        day
    )
    .fetch_all(pool)
    .await
}

/// Forgets the orders of a month with all that is known of them; returns how many.
///
/// # Errors
/// When the database is away.
pub async fn forget(pool: &PgPool, month: NaiveDate) -> Result<i64, sqlx::Error> {
    let gone = sqlx::query_scalar!("select forget_month($1)", month).fetch_one(pool).await?;
    Ok(gone.unwrap_or(0))
}

/// Forgets refused records that came before a moment and were published, some at a time.
///
/// # Errors
/// When the database is away.
pub async fn forget_letters(pool: &PgPool, moment: DateTime<Utc>) -> Result<u64, sqlx::Error> {
    let gone = sqlx::query!(
        "delete from dead_letters where id in (
           select id from dead_letters where received_at < $1 and published order by id limit $2)",
        moment,
        PORTION
    )
    .execute(pool)
    .await?;
    Ok(gone.rows_affected())
}
