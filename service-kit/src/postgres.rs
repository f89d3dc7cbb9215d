//! The pool of a service's own database, and the one place that classifies its errors.

use crate::config::Postgres;
use futures_util::future::BoxFuture;
use secrecy::ExposeSecret;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::pool::PoolConnectionMetadata;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};
use std::str::FromStr;
use std::time::Duration;

/// A connection that was used so short a while ago is not asked whether it is there.
const FRESH: Duration = Duration::from_secs(1);

/// A pool that connects when it is first used.
///
/// # Errors
/// When the URL is no Postgres URL.
pub fn pool(config: &Postgres, name: &str) -> Result<PgPool, sqlx::Error> {
    Ok(lazy(config).connect_lazy_with(options(config, name)?))
}

/// The same for a service, whose statements find rows by their keys. A plan that was made while a table was
/// small is kept as it grows, until the server has counted the table again: one without its index would read
/// all of it each time.
///
/// # Errors
/// When the URL is no Postgres URL.
pub fn service_pool(config: &Postgres, name: &str) -> Result<PgPool, sqlx::Error> {
    Ok(lazy(config).connect_lazy_with(options(config, name)?.options(BY_INDEX)))
}

/// The same for statements that find many rows at a time. They are planned once for each connection:
/// planning each call anew costs more than the call when there is little to do. A connection's buffers stay as large
/// as its largest batch: a few connections that carry one batch after the other.
///
/// # Errors
/// When the URL is no Postgres URL.
pub fn batch_pool(config: &Postgres, name: &str) -> Result<PgPool, sqlx::Error> {
    Ok(lazy(config).connect_lazy_with(batch_options(config, name)?))
}

/// The same for connections whose batches are large now and then: what one grew by is given back.
///
/// # Errors
/// When the URL is no Postgres URL.
pub fn lean_batch_pool(config: &Postgres, name: &str) -> Result<PgPool, sqlx::Error> {
    let options = batch_options(config, name)?;
    Ok(lazy(config).after_release(forget_size).connect_lazy_with(options))
}

fn batch_options(config: &Postgres, name: &str) -> Result<PgConnectOptions, sqlx::Error> {
    let planned = [
        ("plan_cache_mode", "force_generic_plan"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
        // Nor is what is joined read whole and kept: a table that was small when a plan was made grows.
        ("enable_material", "off"),
        // Room for a batch's arrays: what has none goes through files.
        ("work_mem", "32MB"),
    ];
    Ok(options(config, name)?.options(BY_INDEX).options(planned))
}

/// Rows are found by their indexes. What cannot do without a scan then looks dear enough to be compiled, which
/// takes longer than it does.
const BY_INDEX: [(&str, &str); 2] = [("enable_seqscan", "off"), ("jit", "off")];

/// A connection's buffers grow with the largest batch that it has carried, and a pool gives each
/// connection its turn: without this all of them would be that large for good.
fn forget_size(
    connection: &mut PgConnection,
    _: PoolConnectionMetadata,
) -> BoxFuture<'_, Result<bool, sqlx::Error>> {
    connection.shrink_buffers();
    Box::pin(std::future::ready(Ok(true)))
}

fn options(config: &Postgres, name: &str) -> Result<PgConnectOptions, sqlx::Error> {
    let options = PgConnectOptions::from_str(config.database_url.expose_secret())?;
    Ok(options.application_name(name).options(GONE))
}

fn lazy(config: &Postgres) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(config.database_connections)
        .acquire_timeout(Duration::from_secs(5))
        .test_before_acquire(false)
        .before_acquire(still_there)
}

/// To ask a connection each time whether it is there costs as much as a short statement. One that was
/// used a moment ago is: it was asked when it came back.
fn still_there(
    connection: &mut PgConnection,
    PoolConnectionMetadata { idle_for, .. }: PoolConnectionMetadata,
) -> BoxFuture<'_, Result<bool, sqlx::Error>> {
    Box::pin(async move { Ok(idle_for < FRESH || connection.ping().await.is_ok()) })
}

/// After 25 s the server takes whoever answers no more for gone (two hours otherwise), and gives its locks to
/// others; and after a minute whoever does nothing in a transaction.
const GONE: [(&str, &str); 5] = [
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "25000"),
    ("idle_in_transaction_session_timeout", "60000"),
];

/// Applies the migrations that are missing.
///
/// # Errors
/// When the database is away or a migration fails; nothing of that migration stays then.
pub async fn migrate(pool: &PgPool, migrations: &Migrator) -> Result<(), MigrateError> {
    migrations.run(pool).await
}

/// What an error of the database asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Try the same again: deadlock, serialization, connection, restart.
    Again,
    /// Postgres refuses a value (`\u0000`, a time out of range): look for the culprit.
    Value,
    /// Too much at once for it: locks, memory, a message. Less of it may do.
    TooMuch,
    /// Our mistake.
    Bug,
}

/// Classifies by SQLSTATE class (`PostgreSQL` documentation, appendix A).
#[must_use]
pub fn classify(error: &sqlx::Error) -> Failure {
    let Some(database) = error.as_database_error() else {
        return match error {
            sqlx::Error::Encode(_) => Failure::Value,
            sqlx::Error::ColumnDecode { .. }
            | sqlx::Error::Decode(_)
            | sqlx::Error::RowNotFound => Failure::Bug,
            _ => Failure::Again,
        };
    };
    // Out of (shared) memory, a message that is too long.
    if matches!(database.code().as_deref(), Some("53200" | "08P01")) {
        return Failure::TooMuch;
    }
    match database.code().as_deref().and_then(|code| code.get(..2)) {
        // 08 connection, 40 rollback (deadlock), 53 resources, 55 lock, 57 intervention, 58 system
        Some("08" | "40" | "53" | "55" | "57" | "58") => Failure::Again,
        // 22 data exception, 54 program limit (an index row too long)
        Some("22" | "54") => Failure::Value,
        _ => Failure::Bug,
    }
}
