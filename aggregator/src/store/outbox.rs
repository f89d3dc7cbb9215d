//! What is to be published: one row for each version, with a mark for each side.

mod open;

use super::json;
use super::texts::Texts;
use chrono::{DateTime, Utc};
use contract::event::OrderEvent;
use contract::milestone::Milestone;
use contract::timeline::Timeline;
use service_kit::kafka::place_of;
use sqlx::PgConnection;

pub use open::{Open, Side, clear, has, make_room, open, read, remove};

/// Lanes that rows are spread over by order; a lane has one owner at a time.
pub const LANES: i16 = 8;

/// Partitions that lanes are cut for: as many as topics have unless `KAFKA_PARTITIONS` says otherwise.
pub const PARTITIONS: u16 = 4;
const _: () =
    assert!(LANES.unsigned_abs().is_multiple_of(PARTITIONS), "a lane is of one partition");

/// The lane of an order: in the order of the partitions, so that whoever reads an order's records publishes its
/// versions, too, and of each partition as few send as can.
#[must_use]
pub fn lane_of(order: &str) -> i16 {
    let (partitions, each) = (u32::from(PARTITIONS), u32::from(LANES.unsigned_abs() / PARTITIONS));
    let place = place_of(order.as_bytes());
    i16::try_from(place % partitions * each + place / partitions % each).unwrap_or(0)
}

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
    /// A version, the event that made it (and its JSON), and the status before.
    #[must_use]
    pub fn version(
        timeline: &Timeline,
        event: &OrderEvent,
        text: &str,
        before: Option<Milestone>,
        customer: &str,
    ) -> Self {
        let order = timeline.order.to_string();
        Self {
            lane: lane_of(&order),
            order,
            version: i64::try_from(timeline.version).unwrap_or(i64::MAX),
            event: text.to_owned(),
            timeline: json(timeline),
            previous_status: before.map(|status| status.code().to_owned()),
            customer: customer.to_owned(),
            traceparent: event.traceparent.clone(),
            pages_only: false,
        }
    }

    /// The state, as JSON.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.timeline
    }

    /// The same state under a higher version: nothing happened, so it is of interest for pages
    /// alone.
    #[must_use]
    pub fn pages_only(self) -> Self {
        Self { pages_only: true, ..self }
    }

    fn numbered(self, id: i64, created_at: DateTime<Utc>) -> Row {
        Row {
            id,
            order_id: self.order,
            version: self.version,
            event: self.event,
            timeline: self.timeline,
            previous_status: self.previous_status,
            customer: self.customer,
            traceparent: self.traceparent,
            created_at,
        }
    }
}

/// A version to publish, with the event that made it. What a row says never changes.
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

impl Row {
    /// Bytes of its texts, about.
    #[must_use]
    pub fn size(&self) -> usize {
        self.event.len() + self.timeline.len() + self.customer.len() + size_of::<Self>()
    }
}

/// Adds rows in their order; returns them with their numbers.
///
/// # Errors
/// When the database is away or refuses a value.
pub async fn add(
    connection: &mut PgConnection,
    rows: Vec<NewRow>,
) -> Result<Vec<Row>, sqlx::Error> {
    macro_rules! column {
        ($field:ident) => {
            &rows.iter().map(|row| &row.$field).collect::<Vec<_>>()
        };
    }
    let texts = |field: fn(&NewRow) -> &str| rows.iter().map(field).collect::<Texts<'_>>();
    let mut numbers = sqlx::query!(
        "insert into outbox (lane, order_id, version, event, timeline, previous_status, customer, traceparent, kafka_done)
         select l, o, v, e, t, s, c, p, k from unnest(
           $1::smallint[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::boolean[]
         ) as new (l, o, v, e, t, s, c, p, k)
         returning id, created_at, order_id, version",
        column!(lane) as _,
        column!(order) as _,
        column!(version) as _,
        texts(|row| &row.event) as _,
        texts(|row| &row.timeline) as _,
        column!(previous_status) as _,
        texts(|row| &row.customer) as _,
        column!(traceparent) as _,
        column!(pages_only) as _
    )
    .fetch_all(connection)
    .await?;
    // The server takes an array's elements as they come. Looked at, not sorted by it: a row is some 5 kB.
    numbers.sort_unstable_by_key(|number| number.id);
    let fits = rows.iter().map(|row| (&row.order, row.version));
    if !fits.eq(numbers.iter().map(|number| (&number.order_id, number.version))) {
        return Err(sqlx::Error::Protocol("rows were numbered in another order".to_owned()));
    }
    let numbered = rows.into_iter().zip(numbers);
    Ok(numbered.map(|(row, number)| row.numbered(number.id, number.created_at)).collect())
}
