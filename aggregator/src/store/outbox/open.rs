//! The rows that a side does not have yet.

use super::Row;
use sqlx::PgPool;

/// Who rows are published to. Neither side waits for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Whoever watches.
    Redis,
    /// Whoever works on.
    Kafka,
}

impl Side {
    /// Its name in logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::Kafka => "kafka",
        }
    }
}

/// A row that a side lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Number of the row.
    pub id: i64,
    /// The order.
    pub order_id: String,
    /// The version.
    pub version: i64,
    /// The other side has it, by what is written down.
    pub other: bool,
}

/// The oldest rows of each of these lanes that a side lacks, but for some. Lane by lane,
/// so that the index of what is open is used, however many rows were published before.
///
/// # Errors
/// When the database is away.
pub async fn open(
    pool: &PgPool,
    side: Side,
    lanes: &[i16],
    most: i64,
    but: &[i64],
) -> Result<Vec<Open>, sqlx::Error> {
    match side {
        Side::Redis => {
            sqlx::query_as!(
                Open,
                "select o.id, o.order_id, o.version, o.other from unnest($1::smallint[]) as l (lane) cross join lateral (
                   select id, order_id, version, kafka_done as other from outbox
                   where lane = l.lane and not redis_done and id not in (select unnest($3::bigint[]))
                   order by id limit $2) as o
                 order by o.id",
                lanes,
                most,
                but
            )
            .fetch_all(pool)
            .await
        }
        Side::Kafka => {
            sqlx::query_as!(
                Open,
                "select o.id, o.order_id, o.version, o.other from unnest($1::smallint[]) as l (lane) cross join lateral (
                   select id, order_id, version, redis_done as other from outbox
                   where lane = l.lane and not kafka_done and id not in (select unnest($3::bigint[]))
                   order by id limit $2) as o
                 order by o.id",
                lanes,
                most,
                but
            )
            .fetch_all(pool)
            .await
        }
    }
}

/// What these rows say.
///
/// # Errors
/// When the database is away.
pub async fn read(pool: &PgPool, ids: &[i64]) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        "select id, order_id, version, event, timeline, previous_status, customer, traceparent, created_at
         from outbox where id = any($1)",
        ids
    )
    .fetch_all(pool)
    .await
}

/// Removes rows that both sides have.
///
/// # Errors
/// When the database is away.
pub async fn remove(pool: &PgPool, ids: &[i64]) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from outbox where id = any($1)", ids).execute(pool).await?;
    Ok(())
}

/// Gives the room of removed rows to the next ones. The file stays as long as it is: it is needed again at once.
/// Whoever does this already is not waited for.
///
/// # Errors
/// When the database is away.
pub async fn make_room(pool: &PgPool) -> Result<(), sqlx::Error> {
    // As it is: what is prepared is kept for the next time, and this comes seldom.
    let vacuum = "vacuum (skip_locked, index_cleanup on, truncate off, parallel 0) outbox";
    sqlx::raw_sql(vacuum).execute(pool).await?;
    Ok(())
}

/// Marks rows that a side has; those that the other has too are done with. Two that mark one row at
/// the same moment leave it with both marks: [`clear`] removes it.
///
/// # Errors
/// When the database is away.
pub async fn has(pool: &PgPool, side: Side, ids: &[i64]) -> Result<(), sqlx::Error> {
    match side {
        Side::Redis => sqlx::query!(
            "with gone as (delete from outbox where id = any($1) and kafka_done returning id)
             update outbox set redis_done = true
             where id = any($1) and id not in (select id from gone)",
            ids
        ),
        Side::Kafka => sqlx::query!(
            "with gone as (delete from outbox where id = any($1) and redis_done returning id)
             update outbox set kafka_done = true
             where id = any($1) and id not in (select id from gone)",
            ids
        ),
    }
    .execute(pool)
    .await?;
    Ok(())
}

/// Removes rows that both sides have.
///
/// # Errors
/// When the database is away.
pub async fn clear(pool: &PgPool) -> Result<u64, sqlx::Error> {
    let done =
        sqlx::query!("delete from outbox where redis_done and kafka_done").execute(pool).await?;
    Ok(done.rows_affected())
}
