//! Long walks over all orders: where they are.

use sqlx::PgConnection;

/// Where a walk is.
#[derive(Debug, Clone, Default)]
pub struct Walk {
    /// The last order that it has seen.
    pub after: String,
    /// How many it has seen.
    pub seen: i64,
    /// How many it has changed.
    pub changed: i64,
    /// The base that it raises versions to.
    pub base: i64,
}

/// A walk that was broken off within the last ten minutes; its row stays locked. An older one (it may
/// have come back with a restored database) is not gone on with.
///
/// # Errors
/// When the database is away.
pub async fn begun(connection: &mut PgConnection, name: &str) -> Result<Option<Walk>, sqlx::Error> {
    sqlx::query_as!(
        Walk,
        "select after, seen, changed, base from walks
         where name = $1 and updated_at > now() - interval '10 minutes' for update",
        name
    )
    .fetch_optional(connection)
    .await
}

/// Notes where a walk is.
///
/// # Errors
/// When the database is away.
pub async fn at(connection: &mut PgConnection, name: &str, walk: &Walk) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into walks (name, after, seen, changed, base) values ($1, $2, $3, $4, $5)
         on conflict (name) do update set after = excluded.after, seen = excluded.seen,
           changed = excluded.changed, base = excluded.base, updated_at = now()",
        name,
        walk.after,
        walk.seen,
        walk.changed,
        walk.base
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets a walk that is over.
///
/// # Errors
/// When the database is away.
pub async fn over(connection: &mut PgConnection, name: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("delete from walks where name = $1", name).execute(connection).await?;
    Ok(())
}

/// How many orders there are.
///
/// # Errors
/// When the database is away.
pub async fn orders(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from orders"#).fetch_one(connection).await
}
