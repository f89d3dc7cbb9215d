//! What each process spends: the two cores are shared, so what one takes the others do not have.

use super::gauge::{cpu, cpu_of_threads, cpu_with_children, idle};
use devstack::host::term;
use devstack::manifest::Manifest;
use std::collections::BTreeMap;
use std::time::Instant;

/// How the threads of librdkafka are called, and the one that hears of it.
const CLIENT: [&str; 2] = ["rdk:", "producer"];
/// What they are called here.
const OF_CLIENT: &str = "its Kafka clients' threads";
/// The other threads of all aggregators.
const AGGREGATOR: &str = "aggregator";

/// Who has the time of cores that had nothing to do, or waited for the disk.
pub(super) const NOBODY: &str = "nobody";

/// Seconds of CPU by process, and the time that they took, but for what is left out.
#[derive(Clone)]
pub(super) struct Spent {
    by: BTreeMap<String, f64>,
    seconds: f64,
    /// What each had spent when counting began, or went on.
    from: BTreeMap<String, f64>,
    since: Instant,
}

impl Spent {
    /// Begins to count: the servers that are ours, the aggregator, and this program.
    pub(super) fn begin(manifest: &Manifest) -> anyhow::Result<Self> {
        let from = spent(manifest)?;
        Ok(Self { by: BTreeMap::new(), seconds: 0.0, from, since: Instant::now() })
    }

    /// Counts up to now; what comes after is left out until it goes on.
    pub(super) fn hold(&mut self, manifest: &Manifest) -> anyhow::Result<()> {
        self.seconds += self.since.elapsed().as_secs_f64();
        for (name, now) in spent(manifest)? {
            let spent = now - self.from.get(&name).copied().unwrap_or(0.0);
            *self.by.entry(name).or_default() += spent;
        }
        Ok(())
    }

    /// The same up to now; this one counts on.
    pub(super) fn so_far(&self, manifest: &Manifest) -> anyhow::Result<Self> {
        let mut until = self.clone();
        until.hold(manifest)?;
        Ok(until)
    }

    /// Counts on from now.
    pub(super) fn go_on(&mut self, manifest: &Manifest) -> anyhow::Result<()> {
        (self.from, self.since) = (spent(manifest)?, Instant::now());
        Ok(())
    }

    /// How long it took.
    pub(super) const fn seconds(&self) -> f64 {
        self.seconds
    }

    /// Seconds of CPU of all aggregators, with their clients' threads.
    pub(super) fn of_aggregators(&self) -> f64 {
        self.of(AGGREGATOR) + self.of(OF_CLIENT)
    }

    /// Seconds of CPU of one of them.
    pub(super) fn of(&self, name: &str) -> f64 {
        self.by.get(name).copied().unwrap_or(0.0)
    }

    /// Prints microseconds for each event, of one process after the other and of what is left: the system, and who
    /// else is there.
    pub(super) fn print(&self, events: f64) -> anyhow::Result<()> {
        let each = |seconds: f64| seconds / events * 1e6;
        let cores = f64::from(u32::try_from(std::thread::available_parallelism()?.get())?);
        let rest = self.seconds * cores - self.by.values().sum::<f64>();
        let named = self.by.iter().map(|(name, seconds)| format!("{name} {:.0}", each(*seconds)));
        let parts: Vec<String> = named.collect();
        let parts = parts.join(", ");
        term::line(&format!("  µs of CPU for each event: {parts}, all else {:.0}", each(rest)));
        Ok(())
    }
}

fn spent(manifest: &Manifest) -> anyhow::Result<BTreeMap<String, f64>> {
    let servers = manifest.servers.iter();
    let mut all: BTreeMap<String, f64> = servers
        .map(|(name, server)| Ok((name.clone(), cpu_with_children(server.pid)?)))
        .collect::<anyhow::Result<_>>()?;
    for pid in manifest.pids.get(AGGREGATOR).into_iter().flatten() {
        let kafka = cpu_of_threads(*pid, &CLIENT)?;
        *all.entry(OF_CLIENT.to_owned()).or_default() += kafka;
        *all.entry(AGGREGATOR.to_owned()).or_default() += cpu(*pid)? - kafka;
    }
    all.insert("this program".to_owned(), cpu(i32::try_from(std::process::id())?)?);
    all.insert(NOBODY.to_owned(), idle()?);
    Ok(all)
}
