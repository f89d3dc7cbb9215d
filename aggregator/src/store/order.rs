//! Known orders and their customers.

use chrono::{DateTime, Utc};
use contract::customer::Customer;
use contract::id::OrderId;
use sqlx::PgConnection;
use sqlx::types::Json;
use std::collections::HashMap;

/// What is known of an order beside its events.
#[derive(Debug, Clone)]
pub struct Known {
    /// Who is told.
    pub customer: Customer,
    /// When it was placed, by the shop's clock.
    pub placed_at: Option<DateTime<Utc>>,
}

/// Those of the orders that are known.
///
/// # Errors
/// When the database is away.
pub async fn known(
    connection: &mut PgConnection,
    orders: &[String],
) -> Result<HashMap<String, Known>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select order_id, customer as "customer: Json<Customer>", placed_at from orders where order_id = any($1)"#,
        orders
    )
    .fetch_all(connection)
    .await?;
    let known = rows
        .into_iter()
        .map(|row| (row.order_id, Known { customer: row.customer.0, placed_at: row.placed_at }));
    Ok(known.collect())
}

/// Makes an order known, or describes its customer anew, unless a newer description is there.
///
/// # Errors
/// When the database is away.
pub async fn describe(
    connection: &mut PgConnection,
    order: &OrderId,
    customer: &Customer,
    at: DateTime<Utc>,
    placed_at: Option<DateTime<Utc>>,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into orders as known (order_id, customer, customer_at, placed_at) values ($1, $2, $3, $4)
         on conflict (order_id) do update set
           customer = case when known.customer_at < excluded.customer_at then excluded.customer else known.customer end,
           customer_at = greatest(known.customer_at, excluded.customer_at),
           placed_at = least(known.placed_at, excluded.placed_at)",
        order.as_str(),
        Json(customer) as _,
        at,
        placed_at
    )
    .execute(connection)
    .await?;
    Ok(())
}
