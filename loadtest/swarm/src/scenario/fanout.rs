//! One state for many viewers.

use super::unicast::flow;
use super::{Run, SMALL, count};
use crate::feed::Plan;
use crate::figure::{Figure, Goal, figure};
use crate::site::{Site, Who};
use crate::tally::ms;
use crate::truth::Truth;
use std::time::Duration;

/// Viewers, states per second, and what is wanted of CPU and p99.
const STEPS: [(usize, u32, Goal, Goal); 3] = [
    (1_000, 20, Goal::None, Goal::None),
    (1_000, 50, Goal::Ratio(0.65), Goal::Ratio(0.8)),
    (1_000, 100, Goal::None, Goal::None),
];

pub(super) fn run(run: &Run<'_>) -> anyhow::Result<Vec<Figure>> {
    let site = Site::start(run.host, &run.who, Truth::new(1, SMALL))?;
    let mut figures = Vec::new();
    let mut crowd = site.crowd()?;
    for (viewers, rate, cpu, p99) in STEPS {
        let wanted = viewers.saturating_sub(crowd.sockets.len());
        crowd.add((0..wanted).map(|_| site.wish(0)));
        crowd.connect_all(500, Duration::from_mins(1))?;
        let plan = Plan { rate, span: run.span };
        let flow = flow(&site, &mut crowd, plan, viewers as u64)?;
        let name = |what: &str| format!("fan-out {viewers} × {rate}/s, {what}");
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
