//! Viewers that only wait.

use super::{Run, SMALL, TIMELINE, count};
use crate::figure::{Figure, Goal, figure};
use crate::site::{Site, Who};
use crate::truth::Truth;
use std::time::{Duration, Instant};

pub(super) fn run(run: &Run<'_>) -> anyhow::Result<Vec<Figure>> {
    let mut figures = waiting(run, SMALL, "200-byte states", Goal::Both(10.0, 0.2))?;
    if matches!(run.who, Who::Milepost { .. }) {
        figures.extend(waiting(run, TIMELINE, "timelines of 2.6 kB", Goal::None)?);
    }
    Ok(figures)
}

fn waiting(run: &Run<'_>, size: usize, what: &str, goal: Goal) -> anyhow::Result<Vec<Figure>> {
    let site = Site::start(run.host, &run.who, Truth::new(run.viewers, size))?;
    let before = site.usage()?;
    let mut crowd = site.own_channels(run.viewers)?;
    // Memory of the rush goes back first; the first ping comes after 25 s.
    crowd.watch(Duration::from_secs(4))?;
    let after = site.usage()?;
    let start = Instant::now();
    crowd.watch(Duration::from_secs(5))?;
    let idle = site.usage()?.cpu_since(&after).as_secs_f64() / start.elapsed().as_secs_f64();
    let each = (after.resident - before.resident) / count(run.viewers as u64);
    let name = |what: &str, of: &str| format!("{what}, {of}");
    Ok(vec![
        figure(name("memory of a waiting viewer", what), "kB", each, goal),
        figure(name("core spent on waiting viewers", what), "%", idle * 100.0, Goal::None),
    ])
}
