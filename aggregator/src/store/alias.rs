//! Other names of orders.

use sqlx::PgConnection;
use std::collections::HashMap;

/// The orders that these aliases are known to name.
///
/// # Errors
/// When the database is away.
pub async fn resolve(
    connection: &mut PgConnection,
    aliases: &[String],
) -> Result<HashMap<String, String>, sqlx::Error> {
    let rows = sqlx::query!("select alias, order_id from aliases where alias = any($1)", aliases)
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| (row.alias, row.order_id)).collect())
}

/// Notes what aliases name; the first to tell an alias is believed.
///
/// # Errors
/// When the database is away.
pub async fn reveal(
    connection: &mut PgConnection,
    aliases: &[String],
    orders: &[String],
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into aliases (alias, order_id) select * from unnest($1::text[], $2::text[])
         on conflict (alias) do nothing",
        aliases,
        orders
    )
    .execute(connection)
    .await?;
    Ok(())
}
