//! Redis goes away under viewers: killed and back with nothing in it; out of reach for 20 s.

use super::{Run, SMALL, count};
use crate::crowd::Crowd;
use crate::fault::Wire;
use crate::feed::{Feed, Plan};
use crate::figure::{Figure, Goal, figure};
use crate::site::{Site, Way};
use crate::truth::Truth;
use nix::sys::signal::Signal;
use std::time::{Duration, Instant};

/// States a second. They begin before Redis is away and do not end before it is.
const RATE: u32 = 500;

pub(super) fn run(run: &Run<'_>) -> anyhow::Result<Vec<Figure>> {
    let mut figures = killed(run)?;
    figures.extend(out_of_reach(run)?);
    Ok(figures)
}

fn killed(run: &Run<'_>) -> anyhow::Result<Vec<Figure>> {
    let site = Site::start(run.host, &run.who, Truth::new(run.viewers, SMALL))?;
    let mut crowd = site.own_channels(run.viewers)?;
    let plan = Plan { rate: RATE, span: Duration::from_secs(4) };
    let feed = Feed::start(&site.bus, &site.truth, plan, run.host.clock);
    crowd.watch(Duration::from_secs(3))?;
    run.host.signal_redis(Signal::SIGKILL);
    crowd.watch(Duration::from_secs(5))?;
    run.host.restart_redis()?;
    converge(&site, &mut crowd, feed, "Redis killed, back empty after 5 s")
}

fn out_of_reach(run: &Run<'_>) -> anyhow::Result<Vec<Figure>> {
    let wire = Wire::to(&run.host.redis())?;
    let truth = Truth::new(run.viewers, SMALL);
    let way = Way {
        publisher: vec![run.host.redis()],
        gateway: vec![wire.url.clone()],
        per_address: None,
    };
    let site = Site::by(run.host, &run.who, truth, &way)?;
    let mut crowd = site.own_channels(run.viewers)?;
    let plan = Plan { rate: RATE, span: Duration::from_secs(20) };
    let feed = Feed::start(&site.bus, &site.truth, plan, run.host.clock);
    crowd.watch(Duration::from_secs(2))?;
    wire.hold(true);
    crowd.watch(Duration::from_secs(20))?;
    wire.hold(false);
    converge(&site, &mut crowd, feed, "nothing of Redis for 20 s")
}

/// From the last publication until everybody has the newest state.
pub(super) fn converge(
    site: &Site<'_>,
    crowd: &mut Crowd,
    feed: Feed,
    what: &str,
) -> anyhow::Result<Vec<Figure>> {
    let limit = Duration::from_mins(1);
    crowd.watch_until(limit, |_| feed.done())?;
    let start = Instant::now();
    crowd.watch_until(limit, |crowd| site.stale(crowd) == 0)?;
    let took = start.elapsed().as_secs_f64();
    feed.finish()?;
    let name = |of: &str| format!("{what}: {of}");
    let ended: u64 = crowd.tally.ended.values().sum();
    Ok(vec![
        figure(name("everybody has the last state after"), "s", took, Goal::None),
        figure(name("stale"), "", count(site.stale(crowd) as u64), Goal::AtMost(0.0)),
        figure(name("connections that ended"), "", count(ended), Goal::None),
    ])
}
