//! One state for many viewers.

use super::flow::flow;
use super::{Run, SMALL};
use crate::feed::Plan;
use crate::figure::{Figure, Goal};
use crate::site::Site;
use crate::truth::Truth;

/// Viewers of the one channel.
const VIEWERS: usize = 1_000;
/// States per second, and what is wanted of CPU and p99.
const RATES: [(u32, Goal, Goal); 3] = [
    (20, Goal::None, Goal::None),
    (50, Goal::Ratio(0.65), Goal::Ratio(0.8)),
    (100, Goal::None, Goal::None),
];

pub(super) fn run(run: &Run<'_>) -> anyhow::Result<Vec<Figure>> {
    let site = Site::start(run.host, &run.who, Truth::new(1, SMALL))?;
    let mut figures = Vec::new();
    let mut crowd = site.own_channels(VIEWERS)?;
    for (rate, cpu, p99) in RATES {
        let plan = Plan { rate, span: run.span };
        let flow = flow(&site, &mut crowd, plan, VIEWERS as u64)?;
        figures.extend(flow.figures(&format!("fan-out {VIEWERS} × {rate}/s"), &run.who, cpu, p99));
    }
    Ok(figures)
}
