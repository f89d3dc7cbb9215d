//! Our own processes: started with their settings, started again a second after they die.

use crate::host::process::{Identity, Register};
use crate::host::term;
use crate::manifest::ManifestFile;
use anyhow::Context;
use nix::sys::signal::Signal;
use service_kit::config::EXIT_USAGE;
use service_kit::lifecycle::Lifecycle;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// How to start a process of ours.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Name in the manifest.
    pub service: &'static str,
    /// Which one of its equals.
    pub slot: usize,
    /// Program.
    pub program: PathBuf,
    /// Arguments.
    pub arguments: Vec<String>,
    /// Settings.
    pub environment: Vec<(&'static str, String)>,
    /// Where its output goes.
    pub log: PathBuf,
}

/// A process that is kept up: until the stop, or until it is ended here.
#[derive(Debug)]
pub struct Kept {
    stop: CancellationToken,
    ended: oneshot::Receiver<()>,
}

impl Kept {
    /// Ends it, as a stop does, and waits for that.
    pub async fn end(self) {
        self.stop.cancel();
        // The sender is dropped at the end.
        let _ = self.ended.await;
    }
}

/// Starts processes and keeps them up until the stop.
#[derive(Clone)]
pub struct Supervisor {
    /// Ends with the run.
    pub life: Lifecycle,
    /// Notes every process.
    pub register: Arc<Register>,
    /// Shows every process.
    pub manifest: ManifestFile,
}

impl Supervisor {
    /// Starts the process and keeps it up.
    ///
    /// # Errors
    /// When it cannot be started the first time.
    pub fn keep(&self, spec: Spec) -> anyhow::Result<Kept> {
        let running = self.start(&spec)?;
        let (own, stop) = (self.clone(), self.life.soft().child_token());
        let (at_the_end, ended) = oneshot::channel::<()>();
        let kept = Kept { stop: stop.clone(), ended };
        self.life.spawn("supervisor", async move {
            own.watch(spec, running, stop).await;
            drop(at_the_end);
        });
        Ok(kept)
    }

    fn start(&self, spec: &Spec) -> anyhow::Result<(Child, Identity)> {
        let log = std::fs::File::options().create(true).append(true).open(&spec.log)?;
        let mut command = Command::new(&spec.program);
        command
            .args(&spec.arguments)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(spec.environment.iter().map(|(name, value)| (name, value)));
        let started = self.register.spawn(spec.service, &mut command)?;
        let (service, slot, pid) = (spec.service, spec.slot, started.1.pid);
        self.manifest.change(|manifest| {
            let pids = manifest.pids.entry(service.to_owned()).or_default();
            pids.resize(pids.len().max(slot + 1), 0);
            pids[slot] = pid;
        })?;
        Ok(started)
    }

    /// Until the stop: waits for the end of the process, and starts it again.
    async fn watch(&self, spec: Spec, mut running: (Child, Identity), stop: CancellationToken) {
        loop {
            let status = tokio::select! {
                status = running.0.wait() => status,
                () = stop.cancelled() => {
                    running.1.end(Signal::SIGTERM, Duration::from_secs(12)).await;
                    return self.forget(&spec);
                }
            };
            let how = status.map_or_else(|e| e.to_string(), |s| s.to_string());
            if how.contains(&format!("status: {EXIT_USAGE}")) {
                term::line(&format!(
                    "  {} refuses its settings; see {}",
                    spec.service,
                    spec.log.display()
                ));
                return self.life.stop();
            }
            running = tokio::select! {
                next = self.restart(&spec, &how) => next,
                () = stop.cancelled() => return self.forget(&spec),
            };
        }
    }

    /// Takes the last one of its equals out of the manifest: it is not there any more.
    fn forget(&self, spec: &Spec) {
        let forgotten = self.manifest.change(|manifest| {
            if let Some(pids) = manifest.pids.get_mut(spec.service)
                && pids.len() == spec.slot + 1
            {
                pids.truncate(spec.slot);
            }
        });
        if let Err(error) = forgotten {
            term::line(&format!("  {}: {error:#}", spec.service));
        }
    }

    async fn restart(&self, spec: &Spec, how: &str) -> (Child, Identity) {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            match self.start(spec).context("cannot start it again") {
                Ok(next) => {
                    let pid = next.1.pid;
                    term::line(&format!(
                        "  {} ended ({how}); started again as process {pid}",
                        spec.service
                    ));
                    return next;
                }
                Err(error) => term::line(&format!("  {}: {error:#}", spec.service)),
            }
        }
    }
}
