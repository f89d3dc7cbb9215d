//! Ten thousand live connections from one address, and as many requests that never end, while viewers
//! elsewhere watch.

use super::flow::{Flow, flow};
use super::{Run, SMALL, count};
use crate::assault::{Assault, Said};
use crate::crowd::Crowd;
use crate::feed::Plan;
use crate::figure::{Figure, Goal, figure};
use crate::host::Signed;
use crate::site::{Site, Way, Who};
use crate::tally::ms;
use crate::truth::Truth;
use std::time::Duration;

/// Who watches elsewhere, all from one address too: as many as one may have.
const VIEWERS: usize = 1_000;
/// What one address may have, of either kind.
const ALLOWED: u32 = 1_000;
/// What it wants.
const WANTED: usize = 10_000;
const RATE: u32 = 500;
/// A request that never ends is waited for so long (docs/operations.md), and then some.
const HEAD: Duration = Duration::from_secs(20);

pub(super) fn run(run: &Run<'_>) -> anyhow::Result<Vec<Figure>> {
    let redis = || vec![run.host.redis()];
    let way = Way { publisher: redis(), gateway: redis(), per_address: Some(ALLOWED) };
    let who = Who::Milepost { gateways: 1 };
    let site = Site::by(run.host, &who, Truth::new(VIEWERS, SMALL), &way)?;
    let mut crowd = site.own_channels(VIEWERS)?;
    let plan = Plan { rate: RATE, span: run.span.max(Duration::from_secs(10)) };
    let calm = flow(&site, &mut crowd, plan, 1)?;
    let token = site.host.token(0, Signed::Hs256)?;
    let mut figures =
        assault(&site, &mut crowd, plan, &calm, "live connections", &Said::Live(token))?;
    figures.extend(assault(
        &site,
        &mut crowd,
        plan,
        &calm,
        "requests without an end",
        &Said::Half,
    )?);
    Ok(figures)
}

fn assault(
    site: &Site<'_>,
    crowd: &mut Crowd,
    plan: Plan,
    calm: &Flow,
    what: &str,
    said: &Said,
) -> anyhow::Result<Vec<Figure>> {
    let name = |of: &str| format!("10,000 {what} from one address: {of}");
    let (runtime, before) = (&site.host.runtime, site.usage()?);
    let to = site.addresses().next().ok_or_else(|| anyhow::anyhow!("no gateway"))?;
    let assault = Assault::begin(runtime, to, WANTED, said);
    let under = flow(site, crowd, plan, 1)?;
    crowd.watch_until(Duration::from_mins(2), |_| assault.done())?;
    let outcome = assault.finish(runtime)?;
    let grown = (site.usage()?.resident - before.resident) / 1024.0;
    let open = outcome.open.len() as u64;
    drop(outcome.open);
    // What is still half-sent ends by itself.
    crowd.watch(if matches!(said, Said::Half) { HEAD } else { Duration::from_secs(1) })?;
    let (least, most) = outcome.come_again.unwrap_or_default();
    let times = ms(&under.tally.latency, 0.99) / ms(&calm.tally.latency, 0.99);
    Ok(vec![
        figure(name("let in"), "", count(open), Goal::AtMost(f64::from(ALLOWED))),
        figure(name("answered with 503"), "", count(outcome.refused), Goal::None),
        figure(name("ended without an answer"), "", count(outcome.cut), Goal::None),
        figure(name("least Retry-After"), "s", count(least), Goal::None),
        figure(name("most Retry-After"), "s", count(most), Goal::None),
        figure(
            name("all have come to something after"),
            "s",
            outcome.took.as_secs_f64(),
            Goal::None,
        ),
        figure(name("memory that it takes"), "MB", grown, Goal::AtMost(50.0)),
        figure(name("p99 of the others, times the p99 before"), "", times, Goal::None),
        figure(name("states that the others missed"), "", count(under.lost), Goal::AtMost(0.0)),
        figure(name("stale"), "", count(under.stale), Goal::AtMost(0.0)),
    ])
}
