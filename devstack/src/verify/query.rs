//! The committed query metadata (`.sqlx`) against databases that the migrations made.
//!
//! The services are checked against their own databases, which writes fresh metadata beside the
//! committed one; then the two are compared. `cargo devstack queries` replaces the committed one.

use super::report::Report;
use crate::host::folder;
use crate::host::term::Step;
use crate::manifest::Manifest;
use crate::run::build::cargo;
use anyhow::{Context, ensure};
use service_kit::clock;
use sqlx::migrate::Migrator;
use sqlx::{Connection, PgConnection};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

pub(super) async fn run(report: &mut Report, manifest: &Manifest) {
    let step = Step::long("query metadata");
    let result = compare(manifest).await;
    report.check(step, "query metadata", result);
}

async fn compare(manifest: &Manifest) -> anyhow::Result<String> {
    let fresh = fresh(manifest).await?;
    let (fresh, known) = (read(&fresh)?, read(&folder::root().join(".sqlx"))?);
    let missing = fresh.iter().filter(|(name, text)| known.get(*name) != Some(text)).count();
    let stale = known.keys().filter(|name| !fresh.contains_key(*name)).count();
    ensure!(
        missing == 0 && stale == 0,
        "{missing} queries without their metadata, {stale} without a query; `cargo devstack queries` writes it anew"
    );
    Ok(format!("{} queries", known.len()))
}

/// Metadata as the migrated databases describe it, in a folder of its own.
async fn fresh(manifest: &Manifest) -> anyhow::Result<PathBuf> {
    let folder = folder::target().join("sqlx");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder)?;
    for (service, url) in &manifest.database_urls {
        let url = migrated(service, url).await?;
        // The macros run again only when their file seems to have changed.
        let root = folder::root().join(service).join("src/lib.rs");
        std::fs::File::options().append(true).open(&root)?.set_modified(clock::now().into())?;
        let mut check = cargo();
        check.args(["check", "--quiet", "--package", service]);
        check
            .env("DATABASE_URL", &url)
            .env("SQLX_OFFLINE", "false")
            .env("SQLX_OFFLINE_DIR", &folder);
        let status = check.stdin(Stdio::null()).status().await?;
        ensure!(status.success(), "the queries of {service} do not fit its database");
    }
    Ok(folder)
}

/// A database beside the service's own that holds nothing but what the migrations make.
async fn migrated(service: &str, url: &str) -> anyhow::Result<String> {
    let (server, _) = url.rsplit_once('/').context("no database in the URL")?;
    let name = format!("queries_{service}");
    let mut connection = PgConnection::connect(url).await?;
    for statement in [format!("drop database if exists {name}"), format!("create database {name}")]
    {
        // The name is one of two of our own.
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await?;
    }
    let url = format!("{server}/{name}");
    let migrations = Migrator::new(folder::root().join("migrations").join(service)).await?;
    migrations.run(&mut PgConnection::connect(&url).await?).await?;
    Ok(url)
}

/// Replaces the committed metadata.
///
/// # Errors
/// When a query does not fit the database.
pub(super) async fn write(manifest: &Manifest) -> anyhow::Result<usize> {
    let fresh = fresh(manifest).await?;
    let target = folder::root().join(".sqlx");
    let _ = std::fs::remove_dir_all(&target);
    std::fs::create_dir_all(&target)?;
    let files = read(&fresh)?;
    for (name, text) in &files {
        std::fs::write(target.join(name), text)?;
    }
    Ok(files.len())
}

fn read(folder: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let files =
        entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with("query-"));
    let pair = |entry: std::fs::DirEntry| -> anyhow::Result<(String, String)> {
        Ok((
            entry.file_name().to_string_lossy().into_owned(),
            std::fs::read_to_string(entry.path())?,
        ))
    };
    files.map(pair).collect()
}
