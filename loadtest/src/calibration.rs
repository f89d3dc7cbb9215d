//! How often an estimate holds: a simulated year, in which every order is estimated at each of
//! its steps by what was finished before, and teaches once it is there. Nothing is estimated by
//! what came later. Pure: no server is needed.

mod year;

use aggregator::estimate::{Book, Forecast, Score, Traits, forecast, lessons};
use aggregator::fold::fold;
use anyhow::ensure;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Asia::Ho_Chi_Minh;
use contract::event::OrderEvent;
use contract::id::OrderId;
use devstack::host::term;
use year::{Life, STEPS};

/// Fewer durations than this say nothing, as in earnest.
const FLOOR: usize = 30;
/// The first months only teach.
const TAUGHT: TimeDelta = TimeDelta::days(60);
/// What is wanted: share inside the range in per cent, median width in days.
const GOAL: (f64, f64) = (85.0, 2.0);

/// Something that happens in the year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    /// An order reaches a step.
    Step(usize, usize),
    /// An order is there.
    There(usize),
}

pub(crate) fn prove(orders: usize) -> anyhow::Result<()> {
    let start = "2025-01-01T00:00:00Z".parse::<DateTime<Utc>>()?;
    let lives = year::lives(orders, start)?;
    term::line(&format!(
        "\n  a year of {orders} simulated orders, estimated at each step by what was there before\n"
    ));
    let scores = play(&lives, start + TAUGHT)?;
    report(&scores)
}

/// Plays the year.
fn play(lives: &[Life], from: DateTime<Utc>) -> anyhow::Result<Vec<Score>> {
    let mut moments: Vec<(DateTime<Utc>, Moment)> = Vec::new();
    for (number, life) in lives.iter().enumerate() {
        let steps = life.events.iter().enumerate().take(STEPS.len());
        moments.extend(steps.map(|(step, event)| (event.time, Moment::Step(number, step))));
        moments.push((life.delivered, Moment::There(number)));
    }
    moments.sort_unstable();
    let (mut book, mut scores) = (Book::default(), vec![Score::default(); STEPS.len()]);
    for (now, moment) in moments {
        match moment {
            Moment::There(number) => learn(&mut book, &lives[number].events)?,
            Moment::Step(number, step) if now >= from => {
                let life = &lives[number];
                if let Some(range) = expected(&book, &life.events[..=step], now)? {
                    scores[step].note(range, life.delivered);
                }
            }
            Moment::Step(..) => {}
        }
    }
    Ok(scores)
}

fn order(history: &[OrderEvent]) -> OrderId {
    history[0].subject.clone()
}

fn learn(book: &mut Book, history: &[OrderEvent]) -> anyhow::Result<()> {
    let timeline = fold(&order(history), history).ok_or_else(|| anyhow::anyhow!("no order"))?;
    for lesson in lessons(&timeline, history, &Traits::of(history)) {
        book.learn(&lesson.group, lesson.seconds);
    }
    Ok(())
}

fn expected(
    book: &Book,
    history: &[OrderEvent],
    now: DateTime<Utc>,
) -> anyhow::Result<Option<contract::event::EtaRange>> {
    let timeline = fold(&order(history), history).ok_or_else(|| anyhow::anyhow!("no order"))?;
    let traits = Traits::of(history);
    let (timeline, traits) = (&timeline, &traits);
    Ok(forecast(Forecast { timeline, traits, zone: Ho_Chi_Minh, now, floor: FLOOR }, book))
}

fn report(scores: &[Score]) -> anyhow::Result<()> {
    term::line("  estimated when      orders   inside    late   median width");
    let mut all = Score::default();
    for (step, score) in STEPS.iter().zip(scores) {
        line(step, score);
        all.add(score);
    }
    line("at any of these", &all);
    let (inside, width) = (all.inside(), all.median_width());
    ensure!(inside >= GOAL.0, "{inside:.1} % inside; {} are wanted", GOAL.0);
    ensure!(width <= GOAL.1, "half are wider than {width:.2} days; {} are wanted", GOAL.1);
    Ok(())
}

fn line(name: &str, score: &Score) {
    term::line(&format!(
        "  {name:<18} {:>7}  {:>5.1} %  {:>4.1} %  {:>6.2} days",
        score.count(),
        score.inside(),
        score.late(),
        score.median_width()
    ));
}
