//! States for one viewer each.

use super::{Run, SMALL, count, micros};
use crate::crowd::Crowd;
use crate::feed::{Feed, Plan};
use crate::figure::{Figure, Goal, figure};
use crate::site::{Site, Who};
use crate::tally::{Tally, ms};
use crate::truth::Truth;
use std::time::Duration;

/// Rates, with what is wanted of the CPU and of the p99.
const RATES: [(u32, Goal, Goal); 5] = [
    (1_000, Goal::None, Goal::None),
    (5_000, Goal::Ratio(0.6), Goal::Ratio(1.0)),
    (10_000, Goal::None, Goal::None),
    (25_000, Goal::Ratio(0.85), Goal::Ratio(0.2)),
    (40_000, Goal::None, Goal::None),
];

pub(super) fn run(run: &Run<'_>) -> anyhow::Result<Vec<Figure>> {
    let site = Site::start(run.host, &run.who, Truth::new(run.viewers, SMALL))?;
    let mut crowd = site.own_channels(run.viewers)?;
    let mut figures = Vec::new();
    for (rate, cpu, p99) in RATES {
        let flow = flow(&site, &mut crowd, Plan { rate, span: run.span }, 1)?;
        let name = |what: &str| format!("unicast {rate}/s, {what}");
        figures.extend([
            figure(name("CPU for each"), "µs", flow.micros, cpu),
            figure(name("p50"), "ms", ms(&flow.tally.latency, 0.5), Goal::None),
            figure(name("p99"), "ms", ms(&flow.tally.latency, 0.99), p99),
            figure(name("not delivered"), "", count(flow.lost), Goal::None),
        ]);
        if matches!(run.who, Who::Milepost { .. }) {
            let stale = count(flow.stale);
            figures.push(figure(name("stale at the end"), "", stale, Goal::AtMost(0.0)));
        }
    }
    Ok(figures)
}

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
