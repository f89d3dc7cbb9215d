//! Other names of orders.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use std::collections::HashMap;

/// An order that a name was told for.
#[derive(Debug, Clone)]
pub struct Bearer {
    /// The order.
    pub order: String,
    /// Since when the name can mean it: its placing, else the telling.
    pub since: DateTime<Utc>,
    /// Somebody placed it.
    pub placed: bool,
    /// It was placed, and neither it nor the parcel with this number is over. Only looked at where several placed
    /// orders bear the name.
    pub open: bool,
}

/// The orders that these names, each given once, were told for: those that were placed first, the newest of them
/// first.
///
/// # Errors
/// When the database is away.
pub async fn bearers(
    connection: &mut PgConnection,
    aliases: &[String],
) -> Result<HashMap<String, Vec<Bearer>>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select a.alias, a.order_id, coalesce(o.placed_at, a.told_at) as "since!", o.order_id is not null as "placed!",
           o.order_id is not null and case when count(o.order_id) over (partition by a.alias) > 1
             then not coalesce((select (t.document ->> 'terminal')::boolean or exists (
                                  select from json_array_elements(t.document -> 'shipments') as parcel
                                  where 'tracking:' || upper(replace(parcel ->> 'tracking_number', ' ', '')) = a.alias
                                    and parcel ->> 'status' in ('shipment.delivered', 'shipment.returned',
                                                                'shipment.lost', 'order.cancelled'))
                                from timelines t where t.order_id = a.order_id), false)
             else true end as "open!"
         -- Name by name: a plan of a few rows' time would read all of them by another index, and be kept.
         from unnest($1::text[]) as called (alias) join aliases a using (alias) left join orders o using (order_id)
         order by (o.order_id is null), 3 desc, 2"#,
        aliases
    )
    .fetch_all(connection)
    .await?;
    let mut bearers: HashMap<String, Vec<Bearer>> = HashMap::new();
    for row in rows {
        let (order, since) = (row.order_id, row.since);
        let bearer = Bearer { order, since, placed: row.placed, open: row.open };
        bearers.entry(row.alias).or_default().push(bearer);
    }
    Ok(bearers)
}

/// A name that an event tells.
#[derive(Debug, Clone)]
pub struct Told {
    /// The name.
    pub alias: String,
    /// The order.
    pub order: String,
    /// When it was told, by the source's clock.
    pub at: DateTime<Utc>,
}

/// Notes what names were told for. Which of several orders one means is decided when it is used: what
/// comes first need not have happened first.
///
/// # Errors
/// When the database is away.
pub async fn reveal(connection: &mut PgConnection, told: &[Told]) -> Result<(), sqlx::Error> {
    let aliases: Vec<String> = told.iter().map(|t| t.alias.clone()).collect();
    let orders: Vec<String> = told.iter().map(|t| t.order.clone()).collect();
    let times: Vec<_> = told.iter().map(|t| t.at).collect();
    sqlx::query!(
        "insert into aliases (alias, order_id, told_at)
         select n.alias, n.order_id, n.told_at
         from unnest($1::text[], $2::text[], $3::timestamptz[]) as n (alias, order_id, told_at)
         on conflict (alias, order_id) do nothing",
        &aliases,
        &orders,
        &times
    )
    .execute(connection)
    .await?;
    Ok(())
}
