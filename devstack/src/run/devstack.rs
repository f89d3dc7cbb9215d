//! `cargo devstack up | down | status | env`: the servers and the fakes alone.

use super::stack::{Options, Stack};
use crate::host::process::Identity;
use crate::host::term;
use crate::manifest::Manifest;
use crate::server::Given;
use nix::sys::signal::Signal;
use std::time::Duration;

/// Starts the servers and the fakes and stays until Ctrl-C or `down`.
///
/// # Errors
/// When something cannot be had.
pub async fn up(given: Given) -> anyhow::Result<()> {
    let stack = Stack::up(Options { given, ..Options::default() }).await?;
    let own = i32::try_from(std::process::id())?;
    stack.manifest.change(|m| drop(m.pids.insert("devstack".to_owned(), vec![own])))?;
    term::line(
        "\nup; `cargo devstack env` prints the exports, Ctrl-C or `cargo devstack down` ends it",
    );
    stack.run().await;
    Ok(())
}

/// Ends what `up` started.
///
/// # Errors
/// When nothing is up.
pub async fn down() -> anyhow::Result<()> {
    let manifest = Manifest::read()?;
    let pid = manifest.pids.get("devstack").and_then(|pids| pids.first()).copied();
    let running = pid.and_then(|pid| Identity::of("devstack", pid));
    let Some(running) = running else {
        anyhow::bail!("what is up was not started by `devstack up`; end it where it runs");
    };
    running.end(Signal::SIGTERM, Duration::from_secs(30)).await;
    term::line("down");
    Ok(())
}

/// Says what is up.
///
/// # Errors
/// When nothing is up.
pub fn status() -> anyhow::Result<()> {
    let manifest = Manifest::read()?;
    for (name, server) in &manifest.servers {
        let state = if Identity::of(name, server.pid).is_some() { "up" } else { "gone" };
        term::line(&format!("{name:<18} process {:<8} {state}", server.pid));
    }
    for (name, pids) in &manifest.pids {
        for pid in pids {
            let state = if Identity::of(name, *pid).is_some() { "up" } else { "gone" };
            term::line(&format!("{name:<18} process {pid:<8} {state}"));
        }
    }
    Ok(())
}

/// Prints the exports for a shell.
///
/// # Errors
/// When nothing is up.
pub fn env() -> anyhow::Result<()> {
    let manifest = Manifest::read()?;
    let server = manifest.database_urls.get("aggregator").cloned().unwrap_or_default();
    term::line(&format!("export DATABASE_URL='{server}'"));
    term::line(&format!("export REDIS_URL='{}'", manifest.redis_url));
    term::line(&format!("export KAFKA_BROKERS='{}'", manifest.kafka_brokers));
    term::line(&format!("export SMTP_URL='smtp://{}'", manifest.smtp));
    term::line(&format!("export FAKES='{}'", manifest.fakes));
    Ok(())
}
