//! Two gateways share the viewers; and what a gateway spends on traffic that nobody here watches.

use super::flow::flow;
use super::{Run, SMALL, micros};
use crate::feed::Plan;
use crate::figure::{Figure, Goal, figure};
use crate::site::{Site, Who};
use crate::truth::Truth;

const RATE: u32 = 5_000;

/// Viewers of one channel, and how often it has a new state.
const TOGETHER: (usize, u32) = (1_000, 50);

pub(super) fn run(run: &Run<'_>) -> anyhow::Result<Vec<Figure>> {
    let (each, rate) = (run.viewers, RATE);
    let mut figures = shared(run, "a channel for each viewer", (each, each, rate))?;
    let (many, rate) = TOGETHER;
    figures.extend(shared(run, "a channel for a thousand", (1, many, rate))?);
    let nobody = unwatched(run)?;
    figures.push(figure("a state that nobody watches here, CPU", "µs", nobody, Goal::AtMost(2.0)));
    Ok(figures)
}

/// What two gateways together spend on a delivery, and how many times one's that is.
fn shared(run: &Run<'_>, of: &str, crowd: (usize, usize, u32)) -> anyhow::Result<Vec<Figure>> {
    let (one, two) = (delivery(run, 1, crowd)?, delivery(run, 2, crowd)?);
    let name = |what: &str| format!("two gateways, {of}: {what}");
    Ok(vec![
        figure(name("CPU for each delivery of both"), "µs", two, Goal::None),
        figure(name("times one gateway's"), "", two / one, Goal::AtMost(1.05)),
    ])
}

/// CPU for each delivery, of so many gateways together.
fn delivery(
    run: &Run<'_>,
    gateways: usize,
    (channels, viewers, rate): (usize, usize, u32),
) -> anyhow::Result<f64> {
    let who = Who::Milepost { gateways };
    let site = Site::start(run.host, &who, Truth::new(channels, SMALL))?;
    let mut crowd = site.own_channels(viewers)?;
    let each = (viewers / channels) as u64;
    Ok(flow(&site, &mut crowd, Plan { rate, span: run.span }, each)?.micros)
}

/// CPU for each state of a gateway without viewers.
fn unwatched(run: &Run<'_>) -> anyhow::Result<f64> {
    let site = Site::start(run.host, &run.who, Truth::new(run.viewers, SMALL))?;
    let mut crowd = site.crowd()?;
    let before = site.usage()?;
    let flow = flow(&site, &mut crowd, Plan { rate: 2 * RATE, span: run.span }, 0)?;
    Ok(micros(site.usage()?.cpu_since(&before), flow.sent))
}
