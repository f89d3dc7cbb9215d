//! Gateways that go: one killed; two restarted one after the other.

use super::outage::converge;
use super::{Run, SMALL, count};
use crate::crowd::Crowd;
use crate::feed::{Feed, Plan};
use crate::figure::{Figure, Goal, figure};
use crate::host::DRAIN;
use crate::site::{Site, Who};
use crate::tally::{Tally, ms};
use crate::truth::Truth;
use nix::sys::signal::Signal;
use std::time::Duration;

const RATE: u32 = 500;
/// Close code of a gateway that goes (docs/protocol.md).
const GOING: u16 = 4001;

pub(super) fn run(run: &Run<'_>) -> anyhow::Result<Vec<Figure>> {
    let who = Who::Milepost { gateways: 2 };
    let viewers = run.viewers / 2;
    let mut site = Site::start(run.host, &who, Truth::new(viewers, SMALL))?;
    let mut crowd = site.own_channels(viewers)?;
    crowd.faithful = true;
    let mut figures = restarted(&mut site, &mut crowd)?;
    figures.extend(killed(&mut site, &mut crowd)?);
    Ok(figures)
}

/// Each gets a successor first; then it is told to go.
fn restarted(site: &mut Site<'_>, crowd: &mut Crowd) -> anyhow::Result<Vec<Figure>> {
    let plan = Plan { rate: RATE, span: DRAIN * 3 };
    let feed = Feed::start(&site.bus, &site.truth, plan, site.host.clock);
    let mut peak: f64 = 0.0;
    let mut all = Tally::default();
    for _ in 0..2 {
        site.add_gateway()?;
        let there = crowd.ready();
        crowd.addresses = site.addresses().skip(1).collect();
        site.signal(0, Signal::SIGTERM)?;
        crowd.watch_until(DRAIN * 3, |_| !site.programs[0].alive())?;
        crowd.watch_until(DRAIN, |crowd| crowd.ready() == there)?;
        site.programs.remove(0);
        peak = peak.max(crowd.tally.peak_of_returns(Duration::from_secs(1)));
        all.without.add(&crowd.tally.without)?;
        let tally = std::mem::take(&mut crowd.tally);
        tally.ended.into_iter().for_each(|(code, n)| *all.ended.entry(code).or_default() += n);
    }
    let even = count(crowd.sockets.len() as u64 / 2) / DRAIN.as_secs_f64();
    let other: u64 = all.ended.iter().filter(|(code, _)| **code != GOING).map(|(_, n)| n).sum();
    let mut figures = converge(site, crowd, feed, "two restarted in turn")?;
    let name = |of: &str| format!("two restarted in turn: {of}");
    figures.extend([
        figure(
            name("most returns in a second, times the even rate"),
            "",
            peak / even,
            Goal::AtMost(2.0),
        ),
        figure(name("without a gateway, p50"), "ms", ms(&all.without, 0.5), Goal::None),
        figure(name("without a gateway, p99"), "ms", ms(&all.without, 0.99), Goal::None),
        figure(name("ended otherwise than by 4001"), "", count(other), Goal::AtMost(0.0)),
    ]);
    Ok(figures)
}

fn killed(site: &mut Site<'_>, crowd: &mut Crowd) -> anyhow::Result<Vec<Figure>> {
    crowd.tally = Tally::default();
    let plan = Plan { rate: RATE, span: Duration::from_secs(5) };
    let feed = Feed::start(&site.bus, &site.truth, plan, site.host.clock);
    crowd.watch(Duration::from_secs(2))?;
    crowd.addresses = site.addresses().skip(1).collect();
    // Dropping it kills it.
    drop(site.programs.remove(0));
    let mut figures = converge(site, crowd, feed, "one of two gateways killed")?;
    let without = ms(&crowd.tally.without, 0.99);
    let name = "one of two gateways killed: without a gateway, p99";
    figures.push(figure(name, "ms", without, Goal::None));
    Ok(figures)
}
