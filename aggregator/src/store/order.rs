//! Known orders and their customers.

use chrono::{DateTime, Utc};
use contract::customer::Customer;
use contract::id::OrderId;
use sqlx::PgConnection;
use sqlx::types::Json;
use std::collections::HashMap;

/// The customers of those of the orders that are known.
///
/// # Errors
/// When the database is away.
pub async fn known(
    connection: &mut PgConnection,
    orders: &[String],
) -> Result<HashMap<String, Customer>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select order_id, customer as "customer: Json<Customer>" from orders where order_id = any($1)"#,
        orders
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.order_id, row.customer.0)).collect())
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
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into orders (order_id, customer, customer_at) values ($1, $2, $3)
         on conflict (order_id) do update set customer = excluded.customer, customer_at = excluded.customer_at
         where orders.customer_at < excluded.customer_at",
        order.as_str(),
        Json(customer) as _,
        at
    )
    .execute(connection)
    .await?;
    Ok(())
}
