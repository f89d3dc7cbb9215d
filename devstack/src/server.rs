//! The three real servers, private to one run: free ports, data that goes with the run.

mod kafka;
mod postgres;
mod redis;
pub mod cluster;

use crate::host::folder::DataFolder;
use crate::host::install;
use crate::host::process::{Identity, Register};
use anyhow::Context;
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// A server that this run started.
#[derive(Debug)]
pub struct Server {
    /// How it was started, for the manifest.
    pub started: Started,
    identity: Identity,
    gentle: Signal,
    _child: Child,
}

/// How a server was started: enough to start it again by hand.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Started {
    /// Process id.
    pub pid: i32,
    /// Program and arguments.
    pub argv: Vec<String>,
    /// The user that it runs as, when it is not ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// Addresses of the three servers, and those of them that we started.
#[derive(Debug)]
pub struct Servers {
    /// URL of the Postgres server, without a database.
    pub postgres_url: String,
    /// Redis.
    pub redis_url: String,
    /// Kafka.
    pub kafka_brokers: String,
    /// Name and process of those that this run started.
    pub own: Vec<(&'static str, Server)>,
}

/// URLs that the environment gives: those servers are used as they are.
#[derive(Debug, Default, Clone)]
pub struct Given {
    /// `DATABASE_URL`.
    pub database: Option<String>,
    /// `REDIS_URL`.
    pub redis: Option<String>,
    /// `KAFKA_BROKERS`.
    pub kafka: Option<String>,
}

impl Servers {
    /// Starts, in parallel, what the environment does not give; installs what is missing.
    ///
    /// # Errors
    /// A sentence that names the server that cannot be had.
    pub async fn start(
        given: Given,
        folder: &DataFolder,
        register: &Register,
    ) -> anyhow::Result<Self> {
        let postgres = async {
            match given.database {
                Some(url) => Ok((url, None)),
                None => postgres::start(folder, register).await.context("PostgreSQL cannot be had"),
            }
        };
        let redis = async {
            match given.redis {
                Some(url) => Ok((url, None)),
                None => redis::start(folder, register).await.context("Redis cannot be had"),
            }
        };
        let kafka = async {
            match given.kafka {
                Some(brokers) => Ok((brokers, None)),
                None => kafka::start(folder, register).await.context("Kafka cannot be had"),
            }
        };
        let (postgres, redis, kafka) = tokio::try_join!(postgres, redis, kafka)?;
        let own = [("postgres", postgres.1), ("redis", redis.1), ("kafka", kafka.1)];
        let own = own.into_iter().filter_map(|(name, server)| Some((name, server?))).collect();
        Ok(Self { postgres_url: postgres.0, redis_url: redis.0, kafka_brokers: kafka.0, own })
    }

    /// Ends what this run started.
    pub async fn stop(self) {
        let endings = self.own.into_iter().map(|(_, server)| async move {
            server.identity.end(server.gentle, Duration::from_secs(8)).await;
        });
        futures_util::future::join_all(endings).await;
    }
}

/// Starts a server with its output in a log file beside its data.
fn launch(
    register: &Register,
    name: &str,
    argv: Vec<String>,
    gentle: Signal,
    log: &Path,
    user: Option<&nix::unistd::User>,
) -> anyhow::Result<Server> {
    let file = std::fs::File::create(log)?;
    let (program, arguments) = argv.split_first().context("no program")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    if let Some(user) = user {
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw()).current_dir("/");
    }
    let (child, identity) = register.spawn(name, &mut command)?;
    let started = Started { pid: identity.pid, argv, user: user.map(|u| u.name.clone()) };
    Ok(Server { started, identity, gentle, _child: child })
}

/// Waits until `ready` says yes; the last lines of the log when the server dies or is too slow.
async fn wait_ready(
    server: &Server,
    log: &Path,
    ready: impl AsyncFn() -> bool,
) -> anyhow::Result<()> {
    for _ in 0..1200 {
        if ready().await {
            return Ok(());
        }
        if !server.identity.alive() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let end = lines.get(lines.len().saturating_sub(15)..).unwrap_or_default().join("\n");
    anyhow::bail!("it did not get ready; the end of its log:\n{end}")
}

/// The unprivileged user that a server must run as when we are root.
fn unprivileged(name: &str) -> anyhow::Result<Option<nix::unistd::User>> {
    if !nix::unistd::getuid().is_root() {
        return Ok(None);
    }
    let user = nix::unistd::User::from_name(name)?;
    Ok(Some(user.with_context(|| format!("there is no user {name}"))?))
}

pub use install::KAFKA;
