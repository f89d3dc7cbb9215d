//! Leases on the outbox's lanes.

use sqlx::PgPool;
use uuid::Uuid;

/// Takes the lanes that nobody holds and renews one's own, for 5 s. Returns what is held now.
///
/// # Errors
/// When the database is away; then nothing is held.
pub async fn take(pool: &PgPool, owner: Uuid) -> Result<Vec<i16>, sqlx::Error> {
    sqlx::query_scalar!(
        "update lanes set owner = $1, until = now() + interval '5 seconds'
         where owner = $1 or until < now() returning lane",
        owner
    )
    .fetch_all(pool)
    .await
}

/// Gives one's lanes back, so that another need not wait for the lease to end.
///
/// # Errors
/// When the database is away; then the leases end by themselves.
pub async fn give_back(pool: &PgPool, owner: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("update lanes set owner = null, until = '-infinity' where owner = $1", owner)
        .execute(pool)
        .await?;
    Ok(())
}
