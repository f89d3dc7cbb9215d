//! Known orders and their customers.

use super::json;
use chrono::{DateTime, NaiveDate, Utc};
use contract::customer::Customer;
use contract::milestone::Milestone;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, PgConnection};
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

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
    /// Version and status of its stored timeline, if it has one.
    pub newest: Option<(u64, Milestone)>,
}

struct Line {
    order_id: String,
    month: NaiveDate,
    customer: Json<Customer>,
    placed_at: Option<DateTime<Utc>>,
    version_base: i64,
    learned: bool,
    version: Option<i64>,
    status: Option<String>,
}

impl Line {
    fn known(self) -> (String, Known) {
        let version = self.version.and_then(|version| u64::try_from(version).ok());
        let status = self.status.and_then(|code| code.parse().ok());
        let known = Known {
            customer: self.customer.0,
            placed_at: self.placed_at,
            version_base: u64::try_from(self.version_base).unwrap_or(0),
            month: self.month,
            learned: self.learned,
            newest: version.zip(status),
        };
        (self.order_id, known)
    }
}

/// Those of the orders that are known.
///
/// # Errors
/// When the database is away.
pub async fn known(
    connection: &mut PgConnection,
    orders: &[String],
) -> Result<HashMap<String, Known>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Line,
        r#"select order_id as "order_id!", month as "month!", customer as "customer!: Json<Customer>", placed_at,
             version_base as "version_base!", learned_at is not null as "learned!", version as "version?",
             status as "status?"
           from orders left join timelines using (order_id) where order_id = any($1)"#,
        orders
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Line::known).collect())
}

/// What is told of an order's customer.
#[derive(Debug, Clone)]
pub struct Description {
    /// The customer.
    pub customer: Customer,
    /// When the customer was described so.
    pub at: DateTime<Utc>,
    /// When the order was placed, if this tells it.
    pub placed_at: Option<DateTime<Utc>>,
}

impl Description {
    /// Two of one order: the newest customer (of one moment, with what either knows), the earliest placing.
    pub fn join(&mut self, other: Self) {
        let placed = [self.placed_at, other.placed_at].into_iter().flatten().min();
        match self.at.cmp(&other.at) {
            Ordering::Less => *self = other,
            Ordering::Equal => self.customer.fill(other.customer),
            Ordering::Greater => {}
        }
        self.placed_at = placed;
    }
}

/// Makes orders known, or describes their customers anew, unless a newer description is there; one of the
/// same moment adds what it knows (an import that is given again, with more in it).
/// Returns what is known of them then.
///
/// # Errors
/// When the database is away.
pub async fn describe(
    connection: &mut PgConnection,
    told: &BTreeMap<String, Description>,
) -> Result<HashMap<String, Known>, sqlx::Error> {
    let orders: Vec<String> = told.keys().cloned().collect();
    let customers: Vec<String> = told.values().map(|d| json(&d.customer)).collect();
    let times: Vec<_> = told.values().map(|d| d.at).collect();
    let placed: Vec<_> = told.values().map(|d| d.placed_at).collect();
    let rows = sqlx::query_as!(
        Line,
        r#"insert into orders as known (order_id, customer, customer_at, placed_at)
           select o, c::jsonb, t, p
           from unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[]) as new (o, c, t, p)
           on conflict (order_id) do update set
             customer = case when known.customer_at < excluded.customer_at then excluded.customer
               when known.customer_at = excluded.customer_at then known.customer || (jsonb_strip_nulls(excluded.customer) - 'id')
               else known.customer end,
             customer_at = greatest(known.customer_at, excluded.customer_at),
             placed_at = least(known.placed_at, excluded.placed_at)
           returning order_id, month, customer as "customer: Json<Customer>", placed_at, version_base,
             learned_at is not null as "learned!",
             (select version from timelines t where t.order_id = known.order_id) as "version?",
             (select status from timelines t where t.order_id = known.order_id) as "status?""#,
        &orders,
        &customers,
        &times,
        &placed as _
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Line::known).collect())
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

/// Sets what is added to the number of events of orders that are heard of from now on.
///
/// # Errors
/// When the database is away, or the table is read for longer than 2 s.
pub async fn raise_new(connection: &mut PgConnection, base: i64) -> Result<(), sqlx::Error> {
    // Behind a long read it gives up: whoever stores events would wait behind it.
    let statement = format!(
        "begin; set local lock_timeout = '2s';
         alter table orders alter column version_base set default {base}; commit"
    );
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(connection).await?;
    Ok(())
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
