//! What viewers do to a server, and what that costs: one file each.

mod flow;
mod cluster;
mod connect;
mod deaf;
mod fanout;
mod idle;
mod limit;
mod outage;
mod revoke;
mod rolling;
mod slow;
mod two;
mod unicast;

use crate::figure::Figure;
use crate::host::Host;
use crate::site::Who;
use std::time::Duration;

/// Bytes of a small state.
const SMALL: usize = 200;
/// Bytes of a real order's timeline, about.
const TIMELINE: usize = 2_600;

/// The scenarios, in the order of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Scenario {
    /// Memory and processor of viewers that only wait
    Idle,
    /// What it costs to let one in, first and once more
    Connect,
    /// States for one viewer each, at growing rates
    Unicast,
    /// One state for a thousand viewers
    Fanout,
    /// A tenth of the viewers stops reading
    Slow,
    /// Two gateways share the viewers; what they read that nobody watches
    Two,
    /// Redis killed and back empty, and held still for 20 s
    Outage,
    /// Redis as a cluster of three nodes: what it costs; a node killed and back empty
    Cluster,
    /// A subscription that is connected and delivers nothing
    Deaf,
    /// A customer is shut out
    Revoke,
    /// One address opens connections without end
    Limit,
    /// A gateway killed; two restarted one after the other
    Rolling,
}

/// One run of a scenario.
pub(crate) struct Run<'a> {
    pub(crate) host: &'a Host,
    pub(crate) who: Who,
    /// How many viewers.
    pub(crate) viewers: usize,
    /// How long states flow.
    pub(crate) span: Duration,
}

impl Scenario {
    /// Whether the other server is asked too: what it does not promise is not compared.
    pub(crate) const fn compared(self) -> bool {
        matches!(self, Self::Idle | Self::Connect | Self::Unicast | Self::Fanout)
    }

    /// Runs it once.
    pub(crate) fn run(self, run: &Run<'_>) -> anyhow::Result<Vec<Figure>> {
        match self {
            Self::Idle => idle::run(run),
            Self::Connect => connect::run(run),
            Self::Unicast => unicast::run(run),
            Self::Fanout => fanout::run(run),
            Self::Slow => slow::run(run),
            Self::Two => two::run(run),
            Self::Outage => outage::run(run),
            Self::Cluster => cluster::run(run),
            Self::Deaf => deaf::run(run),
            Self::Revoke => revoke::run(run),
            Self::Limit => limit::run(run),
            Self::Rolling => rolling::run(run),
        }
    }
}

/// Microseconds for each of so many.
#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
fn micros(cpu: Duration, count: u64) -> f64 {
    cpu.as_secs_f64() * 1e6 / count.max(1) as f64
}

/// A count as a figure.
#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
const fn count(number: u64) -> f64 {
    number as f64
}
