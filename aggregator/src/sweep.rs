//! What the clock alone makes true, and what slipped through: through the same pipeline.
//!
//! `derive` and `estimate` decide what is said of an order that is due → `due` claims what is
//! due and says it, each once → `housekeeping` picks up what was left behind → `retention` forgets
//! what is old.

mod derive;
mod estimate;
mod due;
mod now_and_then;
mod housekeeping;
mod retention;

pub use retention::{Forgotten, forget};

use crate::pipeline::Pipeline;
use crate::relay::Lanes;
use crate::store::{backlog, duration};
use chrono::TimeDelta;
use now_and_then::NowAndThen;
use service_kit::clock;
use service_kit::lifecycle::Lifecycle;
use service_kit::live_bus::LivePublisher;
use std::time::{Duration, Instant};

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
/// Between two turns of housekeeping.
const HOUSEKEEPING: Duration = Duration::from_secs(10);
/// Between two looks for what slipped through.
const LOOK_FOR_SLIPPED: Duration = Duration::from_mins(1);
/// Rounds between two looks for what carriers said under references of their own: a minute.
const GHOSTS: u32 = 240;
/// Rounds between two readings of what is usual: 10 s.
const USUAL: u32 = 40;

/// Runs until the soft stop.
pub fn start(life: &Lifecycle, pipeline: Pipeline, live: LivePublisher, keep: Keep, lanes: Lanes) {
    retention::start(life, pipeline.pool.clone(), live, keep);
    let soft = life.soft().clone();
    life.spawn("sweep", async move {
        let mut tick = tokio::time::interval(ROUND);
        let (mut round, mut house, mut before) = (0_u32, House::default(), clock::now());
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = soft.cancelled() => return,
            }
            // The process, or the whole machine, stood still: others have spoken meanwhile.
            if clock::now() - before > STOOD_STILL {
                pipeline.calm.disturb();
            }
            let house = lanes.held().leads().then_some(&mut house);
            if let Err(error) = turn(&pipeline, round, house, keep).await {
                tracing::warn!(%error, "the sweep is tried again");
            }
            before = clock::now();
            round = round.wrapping_add(1);
        }
    });
}

/// What one process does for all. (One that is not sure for a moment whether it is the one begins none of it anew.)
struct House {
    tidy: NowAndThen,
    slipped: NowAndThen,
}

impl Default for House {
    fn default() -> Self {
        let (tidy, slipped) = (HOUSEKEEPING, LOOK_FOR_SLIPPED);
        Self { tidy: NowAndThen::every(tidy), slipped: NowAndThen::every(slipped) }
    }
}

impl House {
    /// What one process has seen no other need see again: all that waits is much.
    async fn keep(&mut self, pipeline: &Pipeline, keep: Keep) -> Result<(), sqlx::Error> {
        let now = Instant::now();
        if self.tidy.has_turn(now) {
            housekeeping::run(pipeline, keep.parked).await?;
        }
        if self.slipped.has_turn(now) {
            for _ in 0..TURNS {
                if !housekeeping::slipped(pipeline).await? {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// One round; of several processes one has the house to keep.
async fn turn(
    pipeline: &Pipeline,
    round: u32,
    house: Option<&mut House>,
    keep: Keep,
) -> Result<(), sqlx::Error> {
    let settings = &pipeline.settings;
    if !pipeline.calm.is_there() {
        backlog::note(&pipeline.pool).await?;
    }
    if round.is_multiple_of(USUAL) {
        settings.patience.set(duration::patience(&pipeline.pool, settings.estimate_floor).await?);
    }
    if let Some(house) = house {
        house.keep(pipeline, keep).await?;
    }
    if round.is_multiple_of(GHOSTS) {
        housekeeping::ghosts(pipeline).await?;
    }
    for _ in 0..TURNS {
        if !pipeline.calm.is_there() || !due::say(pipeline).await? {
            break;
        }
    }
    Ok(())
}
