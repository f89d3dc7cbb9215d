//! A server of ours that is away for a while, and back with what it had on disk.

use anyhow::Context;
use devstack::host::process::Identity;
use devstack::manifest::ManifestFile;
use devstack::server::Started;
use nix::sys::signal::Signal;
use nix::unistd::User;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// A server that was killed.
pub(crate) struct Outage {
    server: Started,
}

impl Outage {
    /// Kills a server: `postgres`, `redis` or `kafka`.
    pub(crate) async fn begin(manifest: &ManifestFile, name: &str) -> anyhow::Result<Self> {
        let servers = manifest.get().servers;
        let server = servers.get(name).with_context(|| format!("this {name} is not ours"))?.clone();
        let identity = Identity::of(name, server.pid).with_context(|| format!("no {name}"))?;
        // Postgres hands SIGQUIT on to its backends, which end without a word: a crash.
        let signal = if name == "postgres" { Signal::SIGQUIT } else { Signal::SIGKILL };
        identity.end(signal, Duration::from_secs(5)).await;
        Ok(Self { server })
    }

    /// The same server again; it ends with the value that is returned.
    pub(crate) fn end(&self) -> anyhow::Result<Child> {
        let (program, arguments) = self.server.argv.split_first().context("no program")?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.kill_on_drop(true).process_group(0);
        if let Some(name) = &self.server.user {
            let user = User::from_name(name)?.with_context(|| format!("no user {name}"))?;
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw()).current_dir("/");
        }
        Ok(command.spawn()?)
    }
}
