//! What each process spends: the two cores are shared, so what one takes the others do not have.

use super::gauge::{cpu, cpu_of_threads, cpu_with_children};
use devstack::host::term;
use devstack::manifest::Manifest;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How the threads of librdkafka are called, and the one that hears of it.
const CLIENT: [&str; 2] = ["rdk:", "producer"];
/// What they are called here.
const OF_CLIENT: &str = "its Kafka clients' threads";

/// Seconds of CPU by process, since some moment, and how long ago that is.
pub(super) struct Spent {
    by: BTreeMap<String, f64>,
    since: Instant,
}

impl Spent {
    /// Begins to count: the servers that are ours, the aggregator, and this program.
    pub(super) fn begin(manifest: &Manifest) -> anyhow::Result<Self> {
        Ok(Self { by: so_far(manifest)?, since: Instant::now() })
    }

    /// Prints microseconds for each event, of one process after the other and of nobody.
    pub(super) fn print(&self, manifest: &Manifest, events: f64) -> anyhow::Result<()> {
        let each = |seconds: f64| seconds / events * 1e6;
        let cores = std::thread::available_parallelism()?.get();
        let mut rest = self.since.elapsed() * u32::try_from(cores)?;
        let mut parts = Vec::new();
        for (name, now) in so_far(manifest)? {
            let seconds = now - self.by.get(&name).copied().unwrap_or(0.0);
            rest = rest.saturating_sub(Duration::from_secs_f64(seconds.max(0.0)));
            parts.push(format!("{name} {:.0}", each(seconds)));
        }
        parts.push(format!("the system and nobody {:.0}", each(rest.as_secs_f64())));
        term::line(&format!("  µs of CPU for each event: {}", parts.join(", ")));
        Ok(())
    }
}

fn so_far(manifest: &Manifest) -> anyhow::Result<BTreeMap<String, f64>> {
    let servers = manifest.servers.iter();
    let mut all: BTreeMap<String, f64> = servers
        .map(|(name, server)| Ok((name.clone(), cpu_with_children(server.pid)?)))
        .collect::<anyhow::Result<_>>()?;
    for pid in manifest.pids.get("aggregator").into_iter().flatten() {
        let kafka = cpu_of_threads(*pid, &CLIENT)?;
        *all.entry(OF_CLIENT.to_owned()).or_default() += kafka;
        *all.entry("aggregator".to_owned()).or_default() += cpu(*pid)? - kafka;
    }
    all.insert("this program".to_owned(), cpu(i32::try_from(std::process::id())?)?);
    Ok(all)
}
