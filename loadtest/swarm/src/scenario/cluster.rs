//! Redis as a cluster: each shard's states go through the node that has its slot.

use super::flow::flow;
use super::outage::converge;
use super::{Run, SMALL};
use crate::feed::{Feed, Plan};
use crate::figure::{Figure, Goal};
use crate::site::{Site, Way};
use crate::truth::Truth;
use devstack::server::cluster::Cluster;
use std::time::Duration;

/// States a second, where the price is asked for.
const RATE: u32 = 5_000;
/// The same, while a node is away.
const CALM: u32 = 500;

pub(super) fn run(run: &Run<'_>) -> anyhow::Result<Vec<Figure>> {
    let mut cluster = run.host.cluster()?;
    let result = both(run, &mut cluster);
    run.host.runtime.block_on(cluster.stop());
    result
}

fn both(run: &Run<'_>, cluster: &mut Cluster) -> anyhow::Result<Vec<Figure>> {
    let way = Way { publisher: cluster.urls(), gateway: cluster.urls(), per_address: None };
    let site = Site::by(run.host, &run.who, Truth::new(run.viewers, SMALL), &way)?;
    let mut crowd = site.own_channels(run.viewers)?;
    let plan = Plan { rate: RATE, span: run.span };
    let flow = flow(&site, &mut crowd, plan, 1)?;
    let name = format!("three nodes, unicast {RATE}/s");
    let mut figures = flow.figures(&name, &run.who, Goal::None, Goal::None);
    let plan = Plan { rate: CALM, span: Duration::from_secs(4) };
    let feed = Feed::start(&site.bus, &site.truth, plan, run.host.clock);
    crowd.watch(Duration::from_secs(3))?;
    cluster.kill(1)?;
    crowd.watch(Duration::from_secs(5))?;
    run.host.runtime.block_on(cluster.revive(1, &run.host.register))?;
    figures.extend(converge(&site, &mut crowd, feed, "a node killed, back empty after 5 s")?);
    Ok(figures)
}
