//! A stretch of publishing to viewers that watch, and what it gave.

use super::{count, micros};
use crate::crowd::Crowd;
use crate::feed::{Feed, Plan};
use crate::figure::{Figure, Goal, figure};
use crate::site::{Site, Who};
use crate::tally::{Tally, ms};
use std::time::Duration;

/// What a stretch of publishing gave.
pub(super) struct Flow {
    /// CPU of all gateways for each delivery.
    pub(super) micros: f64,
    pub(super) tally: Tally,
    /// States that did not reach a viewer; a newer one of the same channel may have.
    pub(super) lost: u64,
    /// Viewers without the newest state, once all is quiet.
    pub(super) stale: u64,
    pub(super) sent: u64,
}

impl Flow {
    /// The rows that it gives, with what is wanted of the CPU and of the p99.
    pub(super) fn figures(&self, of: &str, who: &Who, cpu: Goal, p99: Goal) -> Vec<Figure> {
        let name = |what: &str| format!("{of}, {what}");
        let latency = |quantile| ms(&self.tally.latency, quantile);
        let mut figures = vec![
            figure(name("CPU for each"), "µs", self.micros, cpu),
            figure(name("p50"), "ms", latency(0.5), Goal::None),
            figure(name("p99"), "ms", latency(0.99), p99),
            figure(name("not delivered"), "", count(self.lost), Goal::None),
        ];
        if matches!(who, Who::Milepost { .. }) {
            let stale = count(self.stale);
            figures.push(figure(name("stale at the end"), "", stale, Goal::AtMost(0.0)));
        }
        figures
    }
}

/// Publishes by a plan to a crowd of which `each` viewers watch each channel.
pub(super) fn flow(
    site: &Site<'_>,
    crowd: &mut Crowd,
    plan: Plan,
    each: u64,
) -> anyhow::Result<Flow> {
    crowd.watch(Duration::from_millis(500))?;
    crowd.tally = Tally::default();
    let before = site.usage()?;
    let feed = Feed::start(&site.bus, &site.truth, plan, site.host.clock);
    // What is late still counts, for a while.
    crowd.watch_until(plan.span + Duration::from_secs(20), |_| feed.done())?;
    let sent = feed.finish()?;
    crowd.watch_until(Duration::from_secs(3), |crowd| crowd.tally.received >= sent * each)?;
    let cpu = site.usage()?.cpu_since(&before);
    let tally = std::mem::take(&mut crowd.tally);
    Ok(Flow {
        micros: micros(cpu, tally.received),
        lost: (sent * each).saturating_sub(tally.received),
        stale: site.stale(crowd) as u64,
        sent,
        tally,
    })
}
