//! The tools of the aggregator's command line, run beside its service.

use super::build::binary;
use crate::manifest::Manifest;
use anyhow::Context;
use std::process::Stdio;
use tokio::process::Command;

/// One of them, with the settings that it shares with the service; it serves nobody and checks no keys.
///
/// # Errors
/// When there is no database of the aggregator's.
pub fn tool(manifest: &Manifest, words: &[&str]) -> anyhow::Result<Command> {
    let database = manifest.database_urls.get("aggregator").context("no database")?;
    let mut command = Command::new(binary("aggregator")?);
    let (nobody, nothing) = ("127.0.0.1:1", "/dev/null");
    command
        .args(words)
        .stdin(Stdio::null())
        .env("DATABASE_URL", database)
        .env("KAFKA_BROKERS", &manifest.kafka_brokers)
        .env("REDIS_URL", &manifest.redis_url)
        .env("HTTP_ADDR", nobody)
        .env("ADMIN_ADDR", nobody)
        .env("TOKEN_KEYS_FILE", nothing)
        .env("API_KEYS_FILE", nothing);
    Ok(command)
}
