//! Letting viewers in: first, and once more when all lost their connection at once.

use super::{Run, SMALL, count, micros};
use crate::crowd::Crowd;
use crate::figure::{Figure, Goal, figure};
use crate::host::Signed;
use crate::site::{Site, Who};
use crate::tally::{Tally, ms};
use crate::truth::Truth;
use std::time::Duration;

/// Viewers that connect at a time.
const UNDER_WAY: usize = 500;

pub(super) fn run(run: &Run<'_>) -> anyhow::Result<Vec<Figure>> {
    let mut figures = storm(run, Signed::Hs256, "connect", Goal::Ratio(0.55))?;
    if matches!(run.who, Who::Milepost { .. }) {
        figures.extend(storm(run, Signed::EdDsa, "connect with EdDSA", Goal::None)?);
    }
    Ok(figures)
}

fn storm(run: &Run<'_>, signed: Signed, what: &str, goal: Goal) -> anyhow::Result<Vec<Figure>> {
    let shake = match signed {
        Signed::Hs256 => Goal::AtMost(5.0),
        Signed::EdDsa => Goal::None,
    };
    let site = Site::start(run.host, &run.who, Truth::new(run.viewers, SMALL))?;
    let mut crowd = site.crowd()?;
    for channel in 0..run.viewers {
        crowd.add(site.wish(channel, signed)?);
    }
    let (cpu, Tally { opened, answer: times, .. }) = connect(&site, &mut crowd, UNDER_WAY)?;
    let name = |of: &str| format!("{what}, {UNDER_WAY} under way, {of}");
    let mut figures = vec![
        figure(name("CPU"), "µs", cpu, goal),
        figure(name("p50 of the handshake"), "ms", ms(&opened, 0.5), shake),
        figure(name("p50"), "ms", ms(&times, 0.5), Goal::None),
        figure(name("p99"), "ms", ms(&times, 0.99), Goal::None),
    ];
    if matches!(run.who, Who::Milepost { .. }) {
        figures.extend(back_at_once(&site, &mut crowd, what)?);
    }
    Ok(figures)
}

/// Everybody lost the connection and comes back with what it has.
fn back_at_once(site: &Site<'_>, crowd: &mut Crowd, what: &str) -> anyhow::Result<Vec<Figure>> {
    let asked = site.owner.asked();
    crowd.drop_all();
    crowd.watch(Duration::from_secs(1))?;
    let (cpu, Tally { answer: times, .. }) = connect(site, crowd, crowd.sockets.len())?;
    let name = |of: &str| format!("{what}, all back at once, {of}");
    let (asked, stale) = (site.owner.asked() - asked, site.stale(crowd));
    Ok(vec![
        figure(name("CPU"), "µs", cpu, Goal::None),
        figure(name("p99 of the answer"), "ms", ms(&times, 0.99), Goal::AtMost(2_000.0)),
        figure(name("questions to the database"), "", count(asked), Goal::AtMost(0.0)),
        figure(name("stale"), "", count(stale as u64), Goal::AtMost(0.0)),
    ])
}

/// CPU for each, and how long they took.
fn connect(site: &Site<'_>, crowd: &mut Crowd, at_once: usize) -> anyhow::Result<(f64, Tally)> {
    let (before, known) = (site.usage()?, crowd.ready());
    crowd.connect_all(at_once, Duration::from_mins(1))?;
    let cpu = site.usage()?.cpu_since(&before);
    let tally = std::mem::take::<Tally>(&mut crowd.tally);
    Ok((micros(cpu, (crowd.ready() - known) as u64), tally))
}
