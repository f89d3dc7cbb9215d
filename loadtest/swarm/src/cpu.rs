//! What a process costs: its processor time and its memory, as the kernel counts them.

use anyhow::Context;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;
use std::time::Duration;

/// Core of the program that is measured.
pub(crate) const MEASURED: usize = 0;
/// Core of the viewers, the publisher and Redis.
pub(crate) const OTHERS: usize = 1;

/// What a process has used so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    /// Resident memory in kB.
    pub(crate) resident: f64,
}

impl Usage {
    /// The processor time that went since an earlier reading.
    pub(crate) const fn cpu_since(&self, earlier: &Self) -> Duration {
        self.cpu.saturating_sub(earlier.cpu)
    }
}

/// Binds a process and all its threads to a core; with id 0 the calling thread and what it starts.
pub(crate) fn pin(pid: i32, core: usize) -> anyhow::Result<()> {
    let mut set = CpuSet::new();
    set.set(core)?;
    let tasks = match pid {
        0 => vec![0],
        pid => std::fs::read_dir(format!("/proc/{pid}/task"))?
            .filter_map(|task| task.ok()?.file_name().to_str()?.parse().ok())
            .collect(),
    };
    for task in tasks {
        sched_setaffinity(Pid::from_raw(task), &set).with_context(|| format!("core {core}"))?;
    }
    Ok(())
}

/// Reads what a process has used. Its own clock counts nanoseconds, of threads that have ended too; the
/// ticks of proc(5) are too coarse for some hundredths of a second.
pub(crate) fn usage(pid: i32) -> anyhow::Result<Usage> {
    let clock = clock_getcpuclockid(Pid::from_raw(pid)).context("no such process")?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    Ok(Usage {
        cpu: Duration::from(clock.now()?),
        resident: resident.trim().trim_end_matches(" kB").parse()?,
    })
}

/// What several processes have used together.
pub(crate) fn total(pids: &[i32]) -> anyhow::Result<Usage> {
    pids.iter().try_fold(Usage::default(), |sum, pid| {
        let one = usage(*pid)?;
        Ok(Usage { cpu: sum.cpu + one.cpu, resident: sum.resident + one.resident })
    })
}
