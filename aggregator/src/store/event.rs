//! Accepted events.

use super::order::Known;
use super::texts::Texts;
use crate::draft::Origin;
use chrono::NaiveDate;
use contract::event::OrderEvent;
use sqlx::PgConnection;
use sqlx::types::Json;
use std::collections::HashMap;
use std::sync::Arc;

/// All events of these orders, by order.
///
/// # Errors
/// When the database is away.
pub async fn load<'a>(
    connection: &mut PgConnection,
    known: impl IntoIterator<Item = (&'a String, &'a Known)>,
) -> Result<HashMap<String, Vec<OrderEvent>>, sqlx::Error> {
    load_but(connection, known, []).await
}

/// The events of these orders but for some (by order and key), by order.
///
/// # Errors
/// When the database is away.
pub async fn load_but<'a>(
    connection: &mut PgConnection,
    known: impl IntoIterator<Item = (&'a String, &'a Known)>,
    but: impl IntoIterator<Item = (String, String)>,
) -> Result<HashMap<String, Vec<OrderEvent>>, sqlx::Error> {
    let (orders, months): (Vec<String>, Vec<NaiveDate>) =
        known.into_iter().map(|(order, known)| (order.clone(), known.month)).unzip();
    if orders.is_empty() {
        return Ok(HashMap::new());
    }
    let (left_out, keys): (Vec<String>, Vec<String>) = but.into_iter().unzip();
    // Each order's partition alone is looked into: a month that comes with its order is known when
    // its turn comes, also in a plan for any orders.
    let rows = sqlx::query!(
        r#"select e.order_id, e.event as "event: Json<OrderEvent>"
         from unnest($1::text[], $2::date[]) as wanted (order_id, month)
         join events e on e.order_id = wanted.order_id and e.month = wanted.month
         where (e.order_id, e.key) not in (select * from unnest($3::text[], $4::text[]))"#,
        &orders,
        &months,
        &left_out,
        &keys
    )
    .fetch_all(connection)
    .await?;
    let mut events: HashMap<String, Vec<OrderEvent>> = HashMap::new();
    for row in rows {
        events.entry(row.order_id).or_default().push(row.event.0);
    }
    Ok(events)
}

/// An event to add, with the place of its record in the log.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// The event.
    pub event: Arc<OrderEvent>,
    /// The same as JSON.
    pub text: String,
    /// The order's month.
    pub month: NaiveDate,
    /// Where its record stands; none for what is derived.
    pub origin: Option<Origin>,
}

/// Adds new events. The caller holds the locks of their orders and knows that they are new.
///
/// # Errors
/// When the database is away or refuses a value; when one of them is there already: then what the
/// caller knows is old, and the transaction is to be tried again upon what is stored.
pub async fn add(connection: &mut PgConnection, new: &[NewEvent]) -> Result<(), sqlx::Error> {
    let events = || new.iter().map(|new| new.event.as_ref());
    let orders: Vec<String> = events().map(|e| e.subject.to_string()).collect();
    let keys: Vec<String> = events().map(OrderEvent::key).collect();
    let milestones: Vec<String> = events().map(|e| e.milestone.code().to_owned()).collect();
    let occurred: Vec<_> = events().map(|e| e.time).collect();
    let received: Vec<_> = events().map(|e| e.receivedat).collect();
    let documents: Texts<'_> = new.iter().map(|new| new.text.as_str()).collect();
    let months: Vec<NaiveDate> = new.iter().map(|new| new.month).collect();
    let origins = || new.iter().map(|new| new.origin.as_ref());
    let topics: Vec<Option<String>> = origins().map(|o| Some(o?.topic.clone())).collect();
    let partitions: Vec<Option<i32>> = origins().map(|o| Some(o?.partition)).collect();
    let positions: Vec<Option<i64>> = origins().map(|o| Some(o?.offset)).collect();
    let done = sqlx::query!(
        "insert into events (order_id, key, milestone, occurred_at, received_at, event, topic, partition, position, month)
         select o, k, m, t, r, d::json, l, p, f, b from unnest(
           $1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[],
           $7::text[], $8::integer[], $9::bigint[], $10::date[]
         ) as new (o, k, m, t, r, d, l, p, f, b)
         on conflict do nothing",
        &orders,
        &keys,
        &milestones,
        &occurred,
        &received,
        documents as _,
        &topics as _,
        &partitions as _,
        &positions as _,
        &months
    )
    .execute(connection)
    .await?;
    if done.rows_affected() < new.len() as u64 {
        return Err(sqlx::Error::Protocol("an event is stored already".to_owned()));
    }
    Ok(())
}
