//! Whether any aggregator has a backlog to read.

use sqlx::{PgConnection, PgPool};
use std::time::Duration;

/// Notes that this one has: until now, by the database's clock.
///
/// # Errors
/// When the database is away.
pub async fn note(pool: &PgPool) -> Result<(), sqlx::Error> {
    // Written four times a second otherwise, by each that has one.
    let noted = sqlx::query!(
        "update backlog set at = clock_timestamp() where at < clock_timestamp() - interval '1 second'"
    );
    noted.execute(pool).await?;
    Ok(())
}

/// Has none had one for so long?
///
/// # Errors
/// When the database is away.
pub async fn is_over(connection: &mut PgConnection, since: Duration) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"select not exists (select from backlog
             where at > clock_timestamp() - make_interval(secs => $1)) as "over!""#,
        since.as_secs_f64()
    )
    .fetch_one(connection)
    .await
}
