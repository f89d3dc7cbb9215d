//! Orders that stand still.

use crate::silence::Watch;
use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool};

/// Notes that an order stands still.
///
/// # Errors
/// When the database is away.
pub async fn note(
    connection: &mut PgConnection,
    order: &str,
    watch: Watch,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into silent (order_id, stage, owner, since) values ($1, $2, $3, $4)
         on conflict (order_id) do update set stage = excluded.stage, owner = excluded.owner, since = excluded.since",
        order,
        watch.stage.code(),
        watch.owner.name(),
        watch.since
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Orders that were heard of.
///
/// # Errors
/// When the database is away.
pub async fn heard_of(connection: &mut PgConnection, orders: &[String]) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from silent where order_id = any($1)", orders).execute(connection).await?;
    Ok(())
}

/// An order that stands still.
#[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
pub struct SilentLine {
    /// The order.
    #[schema(example = "TM-1042")]
    pub order: String,
    /// Where it stands.
    #[schema(example = "production.started")]
    pub stage: String,
    /// Whose turn it is: `shop`, `workshop`, `carrier`.
    #[schema(example = "workshop")]
    pub owner: String,
    /// When it was heard of last.
    #[schema(example = "2026-11-20T09:40:06Z")]
    pub since: DateTime<Utc>,
}

/// Orders that stand still, the longest first, after a place.
///
/// # Errors
/// When the database is away.
pub async fn list(
    pool: &PgPool,
    owner: Option<&str>,
    after: Option<(DateTime<Utc>, String)>,
    most: i64,
) -> Result<Vec<SilentLine>, sqlx::Error> {
    let (since, order) = after.unzip();
    sqlx::query_as!(
        SilentLine,
        r#"select order_id as "order", stage, owner, since from silent
         where ($1::text is null or owner = $1)
           and ($2::timestamptz is null or (since, order_id) > ($2, $3))
         order by since, order_id limit $4"#,
        owner,
        since,
        order,
        most
    )
    .fetch_all(pool)
    .await
}
