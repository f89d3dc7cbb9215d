//! How long finished orders took, by group.

use crate::estimate::{Book, Lesson, MOST_SAMPLES, Patience, Samples};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{PgConnection, PgPool};
use std::collections::BTreeMap;

/// What is known of these groups.
///
/// # Errors
/// When the database is away.
pub async fn book(connection: &mut PgConnection, groups: &[String]) -> Result<Book, sqlx::Error> {
    let rows = sqlx::query!("select grp, seconds from durations where grp = any($1)", groups)
        .fetch_all(connection)
        .await?;
    Ok(Book::new(rows.into_iter().map(|row| (row.grp, Samples::new(row.seconds))).collect()))
}

/// A group that knows enough learns once in so many minutes: its samples are of days, not of the orders
/// that came within the last minutes.
const SPREAD: i32 = 20;

/// Learns durations; each group keeps the newest. In one order, so that two that learn never wait
/// for each other.
///
/// # Errors
/// When the database is away.
pub async fn learn(connection: &mut PgConnection, lessons: &[Lesson]) -> Result<(), sqlx::Error> {
    let mut by_group: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for lesson in lessons {
        by_group.entry(&lesson.group).or_default().push(lesson.seconds);
    }
    for (group, seconds) in by_group {
        sqlx::query!(
            "insert into durations as known (grp, seconds) values ($1, $2)
             on conflict (grp) do update set updated_at = now(),
               seconds = (known.seconds || excluded.seconds)
                 [greatest(1, cardinality(known.seconds) + cardinality(excluded.seconds) - $3 + 1):]
             where cardinality(known.seconds) < $3
               or known.updated_at < now() - make_interval(mins => $4)",
            group,
            &seconds,
            i32::try_from(MOST_SAMPLES).unwrap_or(i32::MAX),
            SPREAD
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Forgets groups of which nothing was learned since a moment.
///
/// # Errors
/// When the database is away.
pub async fn forget(pool: &PgPool, moment: DateTime<Utc>) -> Result<u64, sqlx::Error> {
    let gone = sqlx::query!("delete from durations where updated_at < $1", moment);
    Ok(gone.execute(pool).await?.rows_affected())
}

/// How long each step is usually silent at most, of groups that enough is known of; and whether
/// enough is known to expect an order.
///
/// # Errors
/// When the database is away.
pub async fn patience(pool: &PgPool, floor: usize) -> Result<Patience, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select grp, (select percentile_disc(0.95) within group (order by took)
              from unnest(seconds) as took) as "p95!"
         from durations where grp like 'quiet/%' and cardinality(seconds) >= $1"#,
        i32::try_from(floor.max(1)).unwrap_or(i32::MAX)
    )
    .fetch_all(pool)
    .await?;
    let expects = sqlx::query_scalar!(
        r#"select exists (select from durations where grp like 'carry/%' and cardinality(seconds) >= $1) as "there!""#,
        i32::try_from(floor.max(1)).unwrap_or(i32::MAX)
    )
    .fetch_one(pool)
    .await?;
    let limits = rows.into_iter().map(|row| (row.grp, TimeDelta::seconds(i64::from(row.p95))));
    Ok(Patience::new(limits.collect(), expects))
}
