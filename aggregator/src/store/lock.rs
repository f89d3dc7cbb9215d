//! Advisory locks on names: an order, or an alias, that may have no row to lock yet.

use aws_lc_rs::digest;
use sqlx::PgConnection;

/// Locks the names until the end of the transaction, in one order for everybody, so that two
/// batches that touch the same orders wait for each other instead of for ever.
///
/// # Errors
/// When the database is away, or chose this transaction to end a deadlock.
pub async fn take(
    connection: &mut PgConnection,
    kind: &str,
    names: impl IntoIterator<Item = &str>,
) -> Result<(), sqlx::Error> {
    let mut keys: Vec<i64> = names.into_iter().map(|name| key(kind, name)).collect();
    keys.sort_unstable();
    keys.dedup();
    sqlx::query!("select count(pg_advisory_xact_lock(k)) from unnest($1::bigint[]) as k", &keys)
        .fetch_one(connection)
        .await?;
    Ok(())
}

/// Locks the names if nobody has one of them; else some of them, and says so.
///
/// # Errors
/// When the database is away.
pub async fn try_all(
    connection: &mut PgConnection,
    kind: &str,
    names: impl IntoIterator<Item = &str>,
) -> Result<bool, sqlx::Error> {
    let keys: Vec<i64> = names.into_iter().map(|name| key(kind, name)).collect();
    let all = sqlx::query_scalar!(
        r#"select coalesce(bool_and(pg_try_advisory_xact_lock(k)), true) as "all!" from unnest($1::bigint[]) as k"#,
        &keys
    );
    all.fetch_one(connection).await
}

/// What is locked and written from here on can be given back.
///
/// # Errors
/// When the database is away.
pub async fn mark(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("savepoint names").execute(connection).await?;
    Ok(())
}

/// Gives back what was locked and written since the mark.
///
/// # Errors
/// When the database is away.
pub async fn give_back(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("rollback to savepoint names").execute(connection).await?;
    Ok(())
}

/// Locks those of the names that nobody has locked, so many at most, in their order; the others are left to
/// whoever has them.
///
/// # Errors
/// When the database is away.
pub async fn take_free(
    connection: &mut PgConnection,
    kind: &str,
    names: &[String],
    most: i64,
) -> Result<Vec<String>, sqlx::Error> {
    let keys: Vec<i64> = names.iter().map(|name| key(kind, name)).collect();
    // Asked row by row: a lock that is not needed is not taken.
    sqlx::query_scalar!(
        r#"select name as "name!" from unnest($1::text[], $2::bigint[]) as them (name, key)
           where pg_try_advisory_xact_lock(key) limit $3"#,
        names,
        &keys,
        most
    )
    .fetch_all(connection)
    .await
}

/// A stable 64-bit number for a name. Two names with one number wait for each other needlessly,
/// which is rare and harmless.
fn key(kind: &str, name: &str) -> i64 {
    let hash = digest::digest(&digest::SHA256, format!("{kind}:{name}").as_bytes());
    let mut first = [0_u8; 8];
    first.copy_from_slice(&hash.as_ref()[..8]);
    i64::from_be_bytes(first)
}
