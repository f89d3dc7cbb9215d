//! Forgets what is old: whole months of orders, and refused records. Beside the sweep, so that
//! nothing that is due waits for it.

use super::Keep;
use crate::store::{duration, month};
use chrono::{DateTime, TimeDelta, Utc};
use service_kit::clock;
use service_kit::lifecycle::Lifecycle;
use service_kit::live_bus::LivePublisher;
use sqlx::PgPool;
use std::time::Duration;

/// How often what is old is looked for.
const ROUND: Duration = Duration::from_hours(1);

pub(super) fn start(life: &Lifecycle, pool: PgPool, live: LivePublisher, keep: Keep) {
    let soft = life.soft().clone();
    life.spawn("retention", async move {
        let mut tick = tokio::time::interval(ROUND);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = soft.cancelled() => return,
            }
            if let Err(error) = run(&pool, &live, keep).await {
                tracing::warn!(%error, "what is old is forgotten an hour later");
            }
        }
    });
}

/// What was forgotten.
#[derive(Debug, Clone, Copy, Default)]
pub struct Forgotten {
    /// Orders.
    pub orders: u64,
    /// Refused records.
    pub letters: u64,
}

/// Forgets what is old by now.
///
/// # Errors
/// When the database or Redis is away; what is done is done.
pub async fn forget(pool: &PgPool, live: &LivePublisher, keep: Keep) -> anyhow::Result<Forgotten> {
    let mut gone = Forgotten::default();
    for old in month::before(pool, ago(keep.orders).date_naive()).await? {
        let orders = month::forget(pool, live, old).await?;
        tracing::info!(month = %old, orders, "orders of a month are forgotten");
        gone.orders += orders;
    }
    duration::forget(pool, ago(keep.orders)).await?;
    loop {
        match month::forget_letters(pool, ago(keep.letters)).await? {
            0 => return Ok(gone),
            letters => gone.letters += letters,
        }
    }
}

async fn run(pool: &PgPool, live: &LivePublisher, keep: Keep) -> anyhow::Result<()> {
    // Made two months ahead: an hour later will do, and what is old goes meanwhile.
    let made = month::make(pool).await;
    forget(pool, live, keep).await?;
    Ok(made?)
}

/// The beginning of time, when it is longer ago than that.
fn ago(time: TimeDelta) -> DateTime<Utc> {
    clock::now().checked_sub_signed(time).unwrap_or(DateTime::UNIX_EPOCH)
}
