//! What customers chose.

use crate::plan::Choices;
use sqlx::PgConnection;

/// A customer's choices; empty for one who was never asked.
///
/// # Errors
/// When the database is away.
pub async fn choices(
    connection: &mut PgConnection,
    customer: &str,
) -> Result<Choices, sqlx::Error> {
    let rows = sqlx::query!(
        "select category, channel, allowed from preferences where customer_id = $1",
        customer
    )
    .fetch_all(connection)
    .await?;
    Ok(Choices(rows.into_iter().map(|row| ((row.category, row.channel), row.allowed)).collect()))
}
