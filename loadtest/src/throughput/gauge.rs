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

/// Seconds of CPU that a process has used.
pub(super) fn cpu(pid: i32) -> anyhow::Result<f64> {
    ticks(pid, 2)
}

/// So many fields from the 14th on (proc(5): its own time in user and system mode, then that of
/// children that have ended), in ticks of 10 ms.
fn ticks(pid: i32, count: usize) -> anyhow::Result<f64> {
    ticks_of(&format!("/proc/{pid}/stat"), count)
}

fn ticks_of(path: &str, count: usize) -> anyhow::Result<f64> {
    let fields = (11..11 + count).map(|number| field_of(path, number));
    let ticks: i32 = fields.collect::<anyhow::Result<Vec<i32>>>()?.into_iter().sum();
    Ok(f64::from(ticks) / 100.0)
}

/// Seconds of CPU that a server and all its children have used, those that have ended too (proc(5),
/// fields 16 and 17 of the parent).
pub(crate) fn cpu_with_children(pid: i32) -> anyhow::Result<f64> {
    let mut all = ticks(pid, 4)?;
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let Ok(child) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
        // One that ends meanwhile is counted by its parent from then on.
        if field(child, 1).is_ok_and(|parent| parent == pid) {
            all += ticks(child, 2).unwrap_or(0.0);
        }
    }
    Ok(all)
}

/// Seconds of CPU that the threads of a process have used whose names begin so.
pub(super) fn cpu_of_threads(pid: i32, names: &[&str]) -> anyhow::Result<f64> {
    let mut all = 0.0;
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))?.flatten() {
        let name = std::fs::read_to_string(thread.path().join("comm")).unwrap_or_default();
        if names.iter().any(|start| name.starts_with(start)) {
            let id = thread.file_name().to_string_lossy().parse::<i32>()?;
            all += ticks_of(&format!("/proc/{pid}/task/{id}/stat"), 2).unwrap_or(0.0);
        }
    }
    Ok(all)
}

/// Seconds of all cores together in which they had nothing to do, or waited for the disk (proc(5), `/proc/stat`: the
/// fourth and the fifth number of the first line, in ticks of 10 ms).
pub(super) fn idle() -> anyhow::Result<f64> {
    let text = std::fs::read_to_string("/proc/stat")?;
    let ticks = text.split_whitespace().skip(4).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / 100.0)
}

/// A field after the name: the state is 0, the parent 1.
fn field(pid: i32, number: usize) -> anyhow::Result<i32> {
    field_of(&format!("/proc/{pid}/stat"), number)
}

fn field_of(path: &str, number: usize) -> anyhow::Result<i32> {
    let text = std::fs::read_to_string(path)?;
    let after = text.rsplit(')').next().unwrap_or_default();
    Ok(after.split_whitespace().nth(number).context("too short")?.parse()?)
}

/// Resident megabytes of a process.
fn memory(pid: i32) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok());
    Ok(kilobytes.context("no VmRSS")? / 1024)
}
