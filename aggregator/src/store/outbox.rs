//! What is to be published: one row for each version, with a mark for each side.

use super::json;
use chrono::{DateTime, Utc};
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
        customer: &str,
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
            customer: customer.to_owned(),
            traceparent: event.traceparent.clone(),
            pages_only: false,
        }
    }

    /// The state, as JSON.
    #[must_use]
    pub fn state(&self) -> String {
        self.timeline.clone()
    }

    /// The same state under a higher version: nothing happened, so it is of interest for pages
    /// alone.
    #[must_use]
    pub fn pages_only(self) -> Self {
        Self { pages_only: true, ..self }
    }
}

/// A state to publish.
#[derive(Debug, Clone)]
pub struct StateRow {
    /// Number of the row.
    pub id: i64,
    /// The order.
    pub order_id: String,
    /// The version.
    pub version: i64,
    /// The timeline, as JSON.
    pub timeline: String,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
}

/// A version to publish, with the event that made it.
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
            &rows.iter().map(|row| &row.$field).collect::<Vec<_>>()
        };
    }
    sqlx::query!(
        "insert into outbox (lane, order_id, version, event, timeline, previous_status, customer, traceparent, kafka_done)
         select l, o, v, e, t, s, c, p, k from unnest(
           $1::smallint[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::boolean[]
         ) with ordinality as new (l, o, v, e, t, s, c, p, k, place) order by place",
        column!(lane) as _,
        column!(order) as _,
        column!(version) as _,
        column!(event) as _,
        column!(timeline) as _,
        column!(previous_status) as _,
        column!(customer) as _,
        column!(traceparent) as _,
        column!(pages_only) as _
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The oldest rows of each of these lanes that Redis does not have. Lane by lane, so that the index
/// of what is open is used, however many rows were published before.
///
/// # Errors
/// When the database is away.
pub async fn for_redis(
    pool: &PgPool,
    lanes: &[i16],
    most: i64,
) -> Result<Vec<StateRow>, sqlx::Error> {
    sqlx::query_as!(
        StateRow,
        "select o.id, o.order_id, o.version, o.timeline, o.traceparent, o.created_at
         from unnest($1::smallint[]) as l (lane) cross join lateral (
           select * from outbox where lane = l.lane and not redis_done order by id limit $2) as o
         order by o.id",
        lanes,
        most
    )
    .fetch_all(pool)
    .await
}

/// The oldest rows of each of these lanes that Kafka does not have.
///
/// # Errors
/// When the database is away.
pub async fn for_kafka(pool: &PgPool, lanes: &[i16], most: i64) -> Result<Vec<Row>, sqlx::Error> {
    sqlx::query_as!(
        Row,
        "select o.id, o.order_id, o.version, o.event, o.timeline, o.previous_status, o.customer,
           o.traceparent, o.created_at
         from unnest($1::smallint[]) as l (lane) cross join lateral (
           select * from outbox where lane = l.lane and not kafka_done order by id limit $2) as o
         order by o.id",
        lanes,
        most
    )
    .fetch_all(pool)
    .await
}

/// Marks rows that Redis has; those that Kafka has too are done with. Two that mark one row at the
/// same moment leave it with both marks: [`clear`] removes it.
///
/// # Errors
/// When the database is away.
pub async fn redis_has(pool: &PgPool, ids: &[i64]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with gone as (delete from outbox where id = any($1) and kafka_done returning id)
         update outbox set redis_done = true
         where id = any($1) and id not in (select id from gone)",
        ids
    )
    .execute(pool)
    .await?;
    Ok(())
}

/// Marks rows that Kafka has, as [`redis_has`] does.
///
/// # Errors
/// When the database is away.
pub async fn kafka_has(pool: &PgPool, ids: &[i64]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "with gone as (delete from outbox where id = any($1) and redis_done returning id)
         update outbox set kafka_done = true
         where id = any($1) and id not in (select id from gone)",
        ids
    )
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
