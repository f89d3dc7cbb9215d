//! A customer is shut out while a thousand connections are open, on two gateways.

use super::{Run, SMALL, count};
use crate::figure::{Figure, Goal, figure};
use crate::site::{Site, Who};
use crate::truth::Truth;
use std::time::{Duration, Instant};

const VIEWERS: usize = 1_000;
/// Close code of a right that was taken away (docs/protocol.md).
const REVOKED: u16 = 4403;

pub(super) fn run(run: &Run<'_>) -> anyhow::Result<Vec<Figure>> {
    let site = Site::start(run.host, &Who::Milepost { gateways: 2 }, Truth::new(1, SMALL))?;
    let mut crowd = site.own_channels(VIEWERS)?;
    let start = Instant::now();
    site.revoke(0)?;
    let out = |code: Option<&u64>| code.copied().unwrap_or(0);
    let all = VIEWERS as u64;
    crowd.watch_until(Duration::from_secs(10), |crowd| {
        out(crowd.tally.ended.get(&REVOKED)) == all
    })?;
    let took = start.elapsed().as_secs_f64();
    let left = all - out(crowd.tally.ended.get(&REVOKED));
    Ok(vec![
        figure("a customer shut out: the last of 1,000 is out after", "s", took, Goal::AtMost(2.0)),
        figure("a customer shut out: still there", "", count(left), Goal::AtMost(0.0)),
    ])
}
