//! Signals to our own processes.

use anyhow::Context;
use devstack::manifest::ManifestFile;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Sends a signal to a service's process in a slot; returns its id.
pub(crate) fn send(
    manifest: &ManifestFile,
    service: &str,
    slot: usize,
    signal: Signal,
) -> anyhow::Result<i32> {
    let pids = manifest.get().pids;
    let pid = pids.get(service).and_then(|pids| pids.get(slot)).copied();
    let pid = pid.with_context(|| format!("no process of {service} in slot {slot}"))?;
    kill(Pid::from_raw(pid), signal)?;
    Ok(pid)
}
