//! Accepted events.

use contract::event::OrderEvent;
use sqlx::PgConnection;
use sqlx::types::Json;
use std::collections::HashMap;

/// All events of these orders, by order.
///
/// # Errors
/// When the database is away.
pub async fn load(
    connection: &mut PgConnection,
    orders: &[String],
) -> Result<HashMap<String, Vec<OrderEvent>>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select order_id, event as "event: Json<OrderEvent>" from events where order_id = any($1)"#,
        orders
    )
    .fetch_all(connection)
    .await?;
    let mut events: HashMap<String, Vec<OrderEvent>> = HashMap::new();
    for row in rows {
        events.entry(row.order_id).or_default().push(row.event.0);
    }
    Ok(events)
}

/// Adds new events. The caller holds the locks of their orders and knows that they are new.
///
/// # Errors
/// When the database is away or refuses a value.
pub async fn add(connection: &mut PgConnection, events: &[OrderEvent]) -> Result<(), sqlx::Error> {
    let orders: Vec<String> = events.iter().map(|e| e.subject.to_string()).collect();
    let keys: Vec<String> = events.iter().map(OrderEvent::key).collect();
    let milestones: Vec<String> = events.iter().map(|e| e.milestone.code().to_owned()).collect();
    let occurred: Vec<_> = events.iter().map(|e| e.time).collect();
    let received: Vec<_> = events.iter().map(|e| e.receivedat).collect();
    let documents: Vec<String> =
        events.iter().map(|e| serde_json::to_string(e).unwrap_or_default()).collect();
    sqlx::query!(
        "insert into events (order_id, key, milestone, occurred_at, received_at, event)
         select o, k, m, t, r, d::jsonb from unnest(
           $1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[]
         ) as new (o, k, m, t, r, d)",
        &orders,
        &keys,
        &milestones,
        &occurred,
        &received,
        &documents
    )
    .execute(connection)
    .await?;
    Ok(())
}
