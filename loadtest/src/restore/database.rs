//! The database is copied and restored with `PostgreSQL`'s own programs.

use super::LIMIT;
use anyhow::{Context, ensure};
use devstack::manifest::Manifest;
use devstack::run::tool::tool;
use sqlx::{Connection, PgConnection};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::Instant;

/// The aggregator's database, and what is done to it.
pub(super) struct Database {
    manifest: Manifest,
    url: String,
    file: PathBuf,
}

impl Database {
    pub(super) fn of(manifest: Manifest) -> anyhow::Result<Self> {
        let url = manifest.database_urls.get("aggregator").context("no database")?.clone();
        let file = std::env::temp_dir().join(format!("milepost-copy-{}", std::process::id()));
        Ok(Self { manifest, url, file })
    }

    /// A copy of what was said so far, whatever else goes on.
    pub(super) async fn copy(&self) -> anyhow::Result<()> {
        // Some of it is stored by then, some is not, and some is stored and not yet published.
        let end = Instant::now() + LIMIT;
        while self.events().await? == 0 {
            ensure!(Instant::now() < end, "nothing is stored");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut dump = Command::new("pg_dump");
        run(dump.args(["--format=custom", "--file"]).arg(&self.file).arg(&self.url)).await
    }

    /// How many events it has.
    pub(super) async fn events(&self) -> anyhow::Result<i64> {
        let mut own = PgConnection::connect(&self.url).await?;
        Ok(sqlx::query_scalar("select count(*) from events").fetch_one(&mut own).await?)
    }

    /// Another database of the same name, with what the copy has.
    pub(super) async fn restore(&self) -> anyhow::Result<()> {
        let (server, name) = self.url.rsplit_once('/').context("no name in the URL")?;
        let mut admin = PgConnection::connect(&format!("{server}/postgres")).await?;
        for statement in
            [format!("drop database {name} with (force)"), format!("create database {name}")]
        {
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut admin).await?;
        }
        let mut restore = Command::new("pg_restore");
        let restored =
            run(restore.args(["--exit-on-error", "--dbname", &self.url]).arg(&self.file)).await;
        let _ = std::fs::remove_file(&self.file);
        restored
    }

    /// Runs a tool of the aggregator's.
    pub(super) async fn tool(&self, word: &str) -> anyhow::Result<()> {
        run(&mut tool(&self.manifest, &[word])?).await
    }
}

/// Runs a program that has to succeed.
async fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.stdin(Stdio::null()).output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {said}", command.as_std().get_program().display());
    Ok(())
}
