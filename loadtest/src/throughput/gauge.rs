//! What processes use.

use anyhow::Context;

/// CPU and memory of some processes together.
pub(crate) struct Gauge {
    pids: Vec<i32>,
    before: f64,
    /// Most resident megabytes of one of them, as far as it was looked at.
    pub(crate) most: u64,
}

impl Gauge {
    pub(crate) fn new(pids: &[i32]) -> anyhow::Result<Self> {
        let mut gauge = Self { pids: pids.to_vec(), before: 0.0, most: 0 };
        gauge.before = gauge.cpu()?;
        Ok(gauge)
    }

    /// Looks at the memory.
    pub(crate) fn look(&mut self) -> anyhow::Result<()> {
        for pid in &self.pids {
            self.most = self.most.max(memory(*pid)?);
        }
        Ok(())
    }

    /// Seconds of CPU since the beginning.
    pub(crate) fn cpu(&self) -> anyhow::Result<f64> {
        let all = self.pids.iter().map(|pid| cpu(*pid)).collect::<anyhow::Result<Vec<f64>>>()?;
        Ok(all.into_iter().sum::<f64>() - self.before)
    }
}

/// Seconds of CPU that a process has used (proc(5), fields 14 and 15, in ticks of 10 ms).
fn cpu(pid: i32) -> anyhow::Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after = text.rsplit(')').next().unwrap_or_default();
    let ticks = after.split_whitespace().skip(11).take(2).filter_map(|t| t.parse::<f64>().ok());
    Ok(ticks.sum::<f64>() / 100.0)
}

/// Resident megabytes of a process.
fn memory(pid: i32) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok());
    Ok(kilobytes.context("no VmRSS")? / 1024)
}
