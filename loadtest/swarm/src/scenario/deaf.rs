//! A subscription that is connected and delivers nothing.

use super::outage::converge;
use super::{Run, SMALL};
use crate::fault::Wire;
use crate::feed::{Feed, Plan};
use crate::figure::{Figure, Goal, figure};
use crate::site::{Site, Way};
use crate::truth::Truth;
use std::time::{Duration, Instant};

pub(super) fn run(run: &Run<'_>) -> anyhow::Result<Vec<Figure>> {
    let wire = Wire::to(&run.host.redis())?;
    let truth = Truth::new(run.viewers, SMALL);
    let way = Way {
        publisher: vec![run.host.redis()],
        gateway: vec![wire.url.clone()],
        per_address: None,
    };
    let site = Site::by(run.host, &run.who, truth, &way)?;
    let mut crowd = site.own_channels(run.viewers)?;
    let plan = Plan { rate: 500, span: Duration::from_secs(15) };
    let feed = Feed::start(&site.bus, &site.truth, plan, run.host.clock);
    crowd.watch(Duration::from_secs(2))?;
    let (known, start) = (wire.subscribed(), Instant::now());
    wire.deafen();
    crowd.watch_until(Duration::from_secs(30), |_| wire.subscribed() > known)?;
    let noticed = start.elapsed().as_secs_f64();
    let mut figures = converge(&site, &mut crowd, feed, "a deaf subscription")?;
    let name = "a deaf subscription: subscribed anew after";
    figures.push(figure(name, "s", noticed, Goal::AtMost(15.0)));
    Ok(figures)
}
