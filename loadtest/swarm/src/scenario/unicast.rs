//! States for one viewer each.

use super::flow::flow;
use super::{Run, SMALL};
use crate::feed::Plan;
use crate::figure::{Figure, Goal};
use crate::site::Site;
use crate::truth::Truth;

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
        figures.extend(flow.figures(&format!("unicast {rate}/s"), &run.who, cpu, p99));
    }
    Ok(figures)
}
