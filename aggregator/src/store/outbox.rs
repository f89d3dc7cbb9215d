//! What is to be published: one row for each version, with a mark for each side.

use super::json;
use chrono::{DateTime, Utc};
use contract::customer::Customer;
use contract::event::OrderEvent;
use contract::name::Shard;
use contract::timeline::Timeline;
use sqlx::{PgConnection, PgPool};

/// Lanes that rows are spread over by order; a lane has one owner at a time.
pub const LANES: i16 = 8;

/// A row to add.
#[derive(Debug, Clone)]
pub struct NewRow {
    lane: i16,
    order: String,
    version: i64,
    event: String,
    timeline: String,
    previous_status: Option<String>,
    customer: String,
    traceparent: Option<String>,
    pages_only: bool,
}

impl NewRow {
    /// A version and the event that made it.
    #[must_use]
    pub fn version(
        timeline: &Timeline,
        event: &OrderEvent,
        before: Option<&Timeline>,
        customer: &Customer,
    ) -> Self {
        let order = timeline.order.to_string();
        let shard = Shard::of(&format!("order:{order}")).number();
        Self {
            lane: i16::try_from(shard).unwrap_or(0) % LANES,
            order,
            version: i64::try_from(timeline.version).unwrap_or(i64::MAX),
            event: json(event),
            timeline: json(timeline),
            previous_status: before.map(|t| t.status.code().to_owned()),
            customer: json(customer),
            traceparent: event.traceparent.clone(),
            pages_only: false,
        }
    }

    /// The same state under a higher version: nothing happened, so it is of interest for pages
    /// alone.
    #[must_use]
    pub fn pages_only(self) -> Self {
        Self { pages_only: true, ..self }
    }
}

/// A row to publish.
#[derive(Debug, Clone)]
pub struct Row {
    /// Number of the row.
    pub id: i64,
    /// The order.
    pub order_id: String,
    /// The version.
    pub version: i64,
    /// The event, as JSON.
    pub event: String,
    /// The timeline, as JSON.
    pub timeline: String,
    /// The status before.
    pub previous_status: Option<String>,
    /// The customer, as JSON.
    pub customer: String,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
}

/// Adds rows in their order.
///
/// # Errors
/// When the database is away or refuses a value.
pub async fn add(connection: &mut PgConnection, rows: &[NewRow]) -> Result<(), sqlx::Error> {
    macro_rules! column {
        ($field:ident) => {
            &rows.iter().map(|row| row.$field.clone()).collect::<Vec<_>>()
        };
    }
    sqlx::query!(
        "insert into outbox (lane, order_id, version, event, timeline, previous_status, customer, traceparent, kafka_done)
         select l, o, v, e, t, s, c, p, k from unnest(
           $1::smallint[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::boolean[]
         ) with ordinality as new (l, o, v, e, t, s, c, p, k, place) order by place",
        column!(lane),
        column!(order),
        column!(version),
        column!(event),
        column!(timeline),
        column!(previous_status) as _,
        column!(customer),
        column!(traceparent) as _,
        column!(pages_only)
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The oldest rows of these lanes that Redis does not have.
///
/// # Errors
/// When the database is away.
pub async fn for_redis(pool: &PgPool, lanes: &[i16], most: i64) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        "select id, order_id, version, event, timeline, previous_status, customer, traceparent, created_at
         from outbox where lane = any($1) and not redis_done order by id limit $2",
        lanes,
        most
    )
    .fetch_all(pool)
    .await
}

/// The oldest rows of these lanes that Kafka does not have.
///
/// # Errors
/// When the database is away.
pub async fn for_kafka(pool: &PgPool, lanes: &[i16], most: i64) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        "select id, order_id, version, event, timeline, previous_status, customer, traceparent, created_at
         from outbox where lane = any($1) and not kafka_done order by id limit $2",
        lanes,
        most
    )
    .fetch_all(pool)
    .await
}

/// Marks rows that Redis has.
///
/// # Errors
/// When the database is away.
pub async fn redis_has(pool: &PgPool, ids: &[i64]) -> Result<(), sqlx::Error> {
    sqlx::query!("update outbox set redis_done = true where id = any($1)", ids)
        .execute(pool)
        .await?;
    Ok(())
}

/// Marks rows that Kafka has.
///
/// # Errors
/// When the database is away.
pub async fn kafka_has(pool: &PgPool, ids: &[i64]) -> Result<(), sqlx::Error> {
    sqlx::query!("update outbox set kafka_done = true where id = any($1)", ids)
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
