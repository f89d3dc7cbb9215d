//! Two gateways share the viewers; and what a gateway spends on traffic that nobody here watches.

use super::flow::flow;
use super::{Run, SMALL, micros};
use crate::feed::Plan;
use crate::figure::{Figure, Goal, figure};
use crate::site::{Site, Who};
use crate::truth::Truth;

const RATE: u32 = 5_000;

pub(super) fn run(run: &Run<'_>) -> anyhow::Result<Vec<Figure>> {
    let one = shared(run, 1)?;
    let two = shared(run, 2)?;
    let nobody = unwatched(run)?;
    Ok(vec![
        figure("two gateways, CPU for each delivery of both", "µs", two, Goal::None),
        figure("two gateways, times one gateway's", "", two / one, Goal::AtMost(1.05)),
        figure("a state that nobody watches here, CPU", "µs", nobody, Goal::AtMost(2.0)),
    ])
}

/// CPU for each delivery, of so many gateways together.
fn shared(run: &Run<'_>, gateways: usize) -> anyhow::Result<f64> {
    let who = Who::Milepost { gateways };
    let site = Site::start(run.host, &who, Truth::new(run.viewers, SMALL))?;
    let mut crowd = site.own_channels(run.viewers)?;
    Ok(flow(&site, &mut crowd, Plan { rate: RATE, span: run.span }, 1)?.micros)
}

/// CPU for each state of a gateway without viewers.
fn unwatched(run: &Run<'_>) -> anyhow::Result<f64> {
    let site = Site::start(run.host, &run.who, Truth::new(run.viewers, SMALL))?;
    let mut crowd = site.crowd()?;
    let before = site.usage()?;
    let flow = flow(&site, &mut crowd, Plan { rate: 2 * RATE, span: run.span }, 0)?;
    Ok(micros(site.usage()?.cpu_since(&before), flow.sent))
}
