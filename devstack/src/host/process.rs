//! Processes that we started, known by id **and** start time: an id alone may be somebody
//! else's by the time we end it.

use super::folder::write_private;
use super::term;
use anyhow::Context;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// A process: its id and when it started (clock ticks since boot, `/proc/<id>/stat` field 22).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// What it is, for people.
    pub what: String,
    /// Its id.
    pub pid: i32,
    /// Its start time.
    pub start: u64,
}

impl Identity {
    /// The identity of a process that runs.
    #[must_use]
    pub fn of(what: &str, pid: i32) -> Option<Self> {
        start_time(pid).map(|start| Self { what: what.to_owned(), pid, start })
    }

    /// Does this very process still run?
    #[must_use]
    pub fn alive(&self) -> bool {
        start_time(self.pid) == Some(self.start)
    }

    /// Sends a signal, if it is still this very process.
    pub fn signal(&self, signal: Signal) {
        if self.alive() {
            let _ = kill(Pid::from_raw(self.pid), signal);
        }
    }

    /// Asks it to end, waits, and ends it by force after `patience`.
    pub async fn end(&self, gentle: Signal, patience: Duration) {
        self.signal(gentle);
        let limit = Instant::now() + patience;
        while self.alive() && Instant::now() < limit {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.signal(Signal::SIGKILL);
        while self.alive() && Instant::now() < limit + Duration::from_secs(2) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Start time of a process that is not a zombie.
fn start_time(pid: i32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything, spaces and parentheses too.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let state = fields.first()?;
    (*state != "Z" && *state != "X").then_some(())?;
    fields.get(19)?.parse().ok()
}

/// The ids of all that this run started, kept on disk, so that the next run can end what a
/// killed one left.
#[derive(Debug)]
pub struct Register {
    path: PathBuf,
    entries: Mutex<Vec<Identity>>,
}

impl Register {
    /// Opens the register beside the data folders and ends what is left of the last run.
    pub async fn open(folder: &Path) -> Self {
        let path = folder.join("processes.json");
        let left: Vec<Identity> = std::fs::read(&path)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default();
        for process in left.iter().filter(|process| process.alive()) {
            term::line(&format!(
                "  ending {} (process {}) that a killed run left",
                process.what, process.pid
            ));
            process.end(Signal::SIGTERM, Duration::from_secs(3)).await;
        }
        Self { path, entries: Mutex::new(Vec::new()) }
    }

    /// Starts a process in a group of its own (else the terminal's Ctrl-C would reach it before
    /// the orderly stop) and notes it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(&self, what: &str, command: &mut Command) -> anyhow::Result<(Child, Identity)> {
        let child =
            command.process_group(0).spawn().with_context(|| format!("cannot start {what}"))?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).context("it ended at once")?;
        let identity = Identity::of(what, pid).with_context(|| format!("{what} ended at once"))?;
        self.note(identity.clone())?;
        Ok((child, identity))
    }

    /// Ends everything that is still there, newest first: after an error or a signal while the
    /// stack was coming up.
    pub async fn end_all(&self) {
        let entries =
            self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        for process in entries.iter().rev() {
            process.end(Signal::SIGTERM, Duration::from_secs(5)).await;
        }
    }

    fn note(&self, identity: Identity) -> anyhow::Result<()> {
        let mut entries = self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        entries.retain(Identity::alive);
        entries.push(identity);
        write_private(&self.path, &serde_json::to_string_pretty(&*entries)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_was_given_to_another_process_is_not_ours() {
        let own = i32::try_from(std::process::id()).unwrap();
        let me = Identity::of("test", own).unwrap();
        assert!(me.alive());
        let older = Identity { start: me.start - 1, ..me };
        assert!(!older.alive());
    }

    #[tokio::test]
    async fn what_a_killed_run_left_is_ended_by_the_next() {
        let folder = std::env::temp_dir().join(format!("register-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let first = Register::open(&folder).await;
        let (mut child, identity) = first.spawn("sleep", Command::new("sleep").arg("60")).unwrap();
        drop(first);
        Register::open(&folder).await;
        child.wait().await.unwrap();
        assert!(!identity.alive());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
