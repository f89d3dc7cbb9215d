//! A tenth of the viewers stops reading.

use super::flow::flow;
use super::{Run, TIMELINE, count};
use crate::feed::Plan;
use crate::figure::{Figure, Goal, figure};
use crate::site::Site;
use crate::tally::ms;
use crate::truth::Truth;
use std::time::Duration;

/// Viewers of the one channel; with 20 timelines a second each, a deaf one's socket soon is full.
const VIEWERS: usize = 1_000;
const RATE: u32 = 20;

pub(super) fn run(run: &Run<'_>) -> anyhow::Result<Vec<Figure>> {
    let site = Site::start(run.host, &run.who, Truth::new(1, TIMELINE))?;
    let mut crowd = site.own_channels(VIEWERS)?;
    // Long enough for a socket to fill and for the gateway's patience of 10 s to end.
    let plan = Plan { rate: RATE, span: run.span.max(Duration::from_secs(40)) };
    let calm = flow(&site, &mut crowd, plan, VIEWERS as u64)?;
    let before = site.usage()?;
    crowd.mute(0..VIEWERS / 10)?;
    let reading = (VIEWERS - VIEWERS / 10) as u64;
    let slow = flow(&site, &mut crowd, plan, reading)?;
    let grown = (site.usage()?.resident - before.resident) / count(VIEWERS as u64 / 10);
    let (p99, calm) = (ms(&slow.tally.latency, 0.99), ms(&calm.tally.latency, 0.99));
    let name = |what: &str| format!("a tenth stops reading, {what}");
    Ok(vec![
        figure(name("memory of each of them"), "kB", grown, Goal::AtMost(10.0)),
        figure(name("p99 of the others, times the p99 before"), "", p99 / calm, Goal::AtMost(1.2)),
        figure(name("states that the others missed"), "", count(slow.lost), Goal::AtMost(0.0)),
    ])
}
