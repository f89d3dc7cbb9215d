//! Partitions by month, and what is kept how long.

use super::lock;
use chrono::{DateTime, NaiveDate, Utc};
use service_kit::live_bus::LivePublisher;
use sqlx::PgPool;

/// Months for which partitions are made ahead.
const AHEAD: i32 = 2;
/// Orders that are forgotten at a time.
const ORDERS: i64 = 200;
/// Refused records that go at a time.
const PORTION: i64 = 5_000;

/// Makes the partitions of this month and of the next ones.
///
/// # Errors
/// When the database is away.
pub async fn make(pool: &PgPool) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "select make_month((now() + make_interval(months => n))::date) from generate_series(0, $1::integer) as n",
        AHEAD
    )
    .fetch_all(pool)
    .await?;
    Ok(())
}

/// Months with orders, or with what is left of them, all of which were first heard of before a day. (The
/// orders may be forgotten already, and the process may have ended before their events were.)
///
/// # Errors
/// When the database is away.
pub async fn before(pool: &PgPool, day: NaiveDate) -> Result<Vec<NaiveDate>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select month as "month!" from (
             select month from orders
             union select month from events_other
             union select to_date(substr(c.relname, 8), 'YYYY_MM')
               from pg_inherits i join pg_class c on c.oid = i.inhrelid
               where i.inhparent = 'events'::regclass and c.relname ~ '^events_[0-9]{4}_[0-9]{2}$') as months
           where month + interval '1 month' <= $1::date order by month"#,
        day
    )
    .fetch_all(pool)
    .await
}

/// Forgets the orders of a month with all that is known of them, some at a time and under their
/// locks; then what their events lay in. Returns how many there were.
///
/// # Errors
/// When the database or Redis is away, or somebody works on the month's events; what is done is done.
pub async fn forget(pool: &PgPool, live: &LivePublisher, month: NaiveDate) -> anyhow::Result<u64> {
    let mut forgotten = 0;
    while let Some(count) = portion(pool, live, month).await? {
        forgotten += count;
    }
    sqlx::query!("select drop_month($1)::text", month).fetch_one(pool).await?;
    Ok(forgotten)
}

/// None when no order of the month is left.
async fn portion(
    pool: &PgPool,
    live: &LivePublisher,
    month: NaiveDate,
) -> anyhow::Result<Option<u64>> {
    let mut transaction = pool.begin().await?;
    let orders =
        sqlx::query_scalar!("select order_id from orders where month = $1 limit $2", month, ORDERS)
            .fetch_all(&mut *transaction)
            .await?;
    if orders.is_empty() {
        return Ok(None);
    }
    lock::take(&mut transaction, "order", orders.iter().map(String::as_str)).await?;
    // Another process may have forgotten one while its lock was waited for, and it may have come back.
    let gone = sqlx::query!(
        "with old as (select order_id from orders where order_id = any($1) and month = $2),
              a as (delete from timelines where order_id in (select order_id from old)),
              b as (delete from aliases where order_id in (select order_id from old)),
              c as (delete from silent where order_id in (select order_id from old)),
              d as (delete from due where order_id in (select order_id from old)),
              e as (delete from asks where order_id in (select order_id from old))
         delete from orders where order_id in (select order_id from old)",
        &orders,
        month
    )
    .execute(&mut *transaction)
    .await?;
    // First: pages would show for ever what nobody can find again to remove.
    let channels: Vec<String> = orders.iter().map(|order| format!("order:{order}")).collect();
    live.erase(&channels).await?;
    transaction.commit().await?;
    // Once more: until now whoever asked was told, and that is kept there for the next.
    live.erase(&channels).await?;
    Ok(Some(gone.rows_affected()))
}

/// Forgets refused records that were refused before a moment and were published, some at a time.
///
/// # Errors
/// When the database is away.
pub async fn forget_letters(pool: &PgPool, moment: DateTime<Utc>) -> Result<u64, sqlx::Error> {
    let gone = sqlx::query!(
        "delete from dead_letters where id in (
           select id from dead_letters where refused_at < $1 and published order by refused_at limit $2)",
        moment,
        PORTION
    )
    .execute(pool)
    .await?;
    Ok(gone.rows_affected())
}
