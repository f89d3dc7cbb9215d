//! What the clock alone makes true, and what slipped through: through the same pipeline.
//!
//! `derive` and `estimate` decide what is said of an order that is due → `due` claims what is
//! due and says it, each once → `housekeeping` picks up what was left behind → `retention` forgets
//! what is old.

mod derive;
mod estimate;
mod due;
mod housekeeping;
mod retention;

pub use retention::{Forgotten, forget};

use crate::pipeline::Pipeline;
use crate::relay::Lanes;
use crate::store::{backlog, duration};
use chrono::TimeDelta;
use service_kit::clock;
use service_kit::lifecycle::Lifecycle;
use service_kit::live_bus::LivePublisher;
use std::time::Duration;

/// How long what is kept.
#[derive(Debug, Clone, Copy)]
pub struct Keep {
    /// An event that waits for its order.
    pub parked: TimeDelta,
    /// An order, from the month in which it was first heard of.
    pub orders: TimeDelta,
    /// A refused record.
    pub letters: TimeDelta,
}

/// How many waiting events are taken at a time.
const PORTION: i64 = 200;
/// How many orders are looked at in one transaction: records that come for one of them meanwhile
/// wait for its end, so few.
const ORDERS: i64 = 20;
/// Transactions in one round, at most.
const TURNS: usize = 50;
/// How often what is due is looked for.
const ROUND: Duration = Duration::from_millis(250);
/// So long after the end of the round before this one something has stood still.
const STOOD_STILL: TimeDelta = TimeDelta::seconds(10);
/// Rounds between two turns of housekeeping: 10 s.
const HOUSEKEEPING: u32 = 40;
/// Rounds between two looks for what slipped through: a minute.
const LOOK_FOR_SLIPPED: u32 = 240;
/// Rounds between two readings of what is usual: 10 s.
const USUAL: u32 = 40;

/// Runs until the soft stop.
pub fn start(life: &Lifecycle, pipeline: Pipeline, live: LivePublisher, keep: Keep, lanes: Lanes) {
    retention::start(life, pipeline.pool.clone(), live, keep);
    let soft = life.soft().clone();
    life.spawn("sweep", async move {
        let mut tick = tokio::time::interval(ROUND);
        let (mut round, mut led, mut before) = (0_u32, None, clock::now());
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = soft.cancelled() => return,
            }
            // The process, or the whole machine, stood still: others have spoken meanwhile.
            if clock::now() - before > STOOD_STILL {
                pipeline.calm.disturb();
            }
            led = lanes.held().leads().then(|| led.map_or(0, |rounds: u32| rounds.wrapping_add(1)));
            if let Err(error) = turn(&pipeline, round, led, keep).await {
                tracing::warn!(%error, "the sweep is tried again");
            }
            before = clock::now();
            round = round.wrapping_add(1);
        }
    });
}

/// One round; `led` since this process does what one does for all, if it does.
async fn turn(
    pipeline: &Pipeline,
    round: u32,
    led: Option<u32>,
    keep: Keep,
) -> Result<(), sqlx::Error> {
    let settings = &pipeline.settings;
    if !pipeline.calm.is_there() {
        backlog::note(&pipeline.pool).await?;
    }
    if round.is_multiple_of(USUAL) {
        settings.patience.set(duration::patience(&pipeline.pool, settings.estimate_floor).await?);
    }
    if let Some(round) = led {
        keep_house(pipeline, round, keep).await?;
    }
    for _ in 0..TURNS {
        if !pipeline.calm.is_there() || !due::say(pipeline).await? {
            break;
        }
    }
    Ok(())
}

/// What waits, whoever it waits for: what one process has seen no other need see again.
async fn keep_house(pipeline: &Pipeline, round: u32, keep: Keep) -> Result<(), sqlx::Error> {
    if round.is_multiple_of(HOUSEKEEPING) {
        housekeeping::run(pipeline, keep.parked).await?;
    }
    if round.is_multiple_of(LOOK_FOR_SLIPPED) {
        for _ in 0..TURNS {
            if !housekeeping::slipped(pipeline).await? {
                break;
            }
        }
        housekeeping::ghosts(pipeline).await?;
    }
    Ok(())
}
