//! The services' databases on one server.

use anyhow::Context;
use sqlx::{Connection, PgConnection};
use std::collections::BTreeMap;

/// One database for each service that owns a schema.
pub(super) async fn databases(server: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let mut urls = BTreeMap::new();
    let base = server.split('?').next().unwrap_or(server);
    let base = match base.splitn(4, '/').collect::<Vec<_>>().as_slice() {
        [scheme, empty, host, ..] => format!("{scheme}/{empty}/{host}"),
        _ => base.to_owned(),
    };
    let mut connection =
        PgConnection::connect(&format!("{base}/postgres")).await.context("PostgreSQL is away")?;
    for (service, create) in [
        ("aggregator", "create database milepost_aggregator"),
        ("notifier", "create database milepost_notifier"),
    ] {
        if let Err(error) = sqlx::query(create).execute(&mut connection).await {
            let there = error
                .as_database_error()
                .and_then(|e| e.code().map(|c| c == "42P04"))
                .unwrap_or(false);
            anyhow::ensure!(there, "cannot create the database of {service}: {error}");
        }
        urls.insert(service.to_owned(), format!("{base}/milepost_{service}"));
    }
    Ok(urls)
}
