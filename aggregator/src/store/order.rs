//! Known orders and their customers.

use chrono::{DateTime, NaiveDate, Utc};
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
    /// What is added to the number of its events to make its version.
    pub version_base: u64,
    /// The month in which it was first heard of: where its events lie.
    pub month: NaiveDate,
    /// It is finished and has taught how long it took.
    pub learned: bool,
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
        r#"select order_id, month, customer as "customer: Json<Customer>", placed_at, version_base, learned_at is not null as "learned!" from orders where order_id = any($1)"#,
        orders
    )
    .fetch_all(connection)
    .await?;
    let known = rows.into_iter().map(|row| {
        let version_base = u64::try_from(row.version_base).unwrap_or(0);
        let (customer, placed_at) = (row.customer.0, row.placed_at);
        (
            row.order_id,
            Known { customer, placed_at, version_base, month: row.month, learned: row.learned },
        )
    });
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

/// Notes that these orders have taught how long they took.
///
/// # Errors
/// When the database is away.
pub async fn learned(connection: &mut PgConnection, orders: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query!("update orders set learned_at = now() where order_id = any($1)", orders)
        .execute(connection)
        .await?;
    Ok(())
}

/// Orders after this one, in the order of their numbers.
///
/// # Errors
/// When the database is away.
pub async fn after(
    connection: &mut PgConnection,
    order: &str,
    most: i64,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "select order_id from orders where order_id > $1 order by order_id limit $2",
        order,
        most
    )
    .fetch_all(connection)
    .await
}

/// Sets what is added to the number of events of these orders.
///
/// # Errors
/// When the database is away.
pub async fn raise(
    connection: &mut PgConnection,
    orders: &[String],
    bases: &[i64],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update orders set version_base = new.base
         from unnest($1::text[], $2::bigint[]) as new (order_id, base)
         where orders.order_id = new.order_id",
        orders,
        bases
    )
    .execute(connection)
    .await?;
    Ok(())
}
