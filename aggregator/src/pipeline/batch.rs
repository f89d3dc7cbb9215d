//! One transaction for a batch; a value that the database refuses does not take it along.

use super::accept::{Accepted, accept};
use super::agenda::Settings;
use super::calm::Calm;
use super::resolve::resolve;
use super::work::Work;
use crate::draft::Draft;
use crate::metric;
use crate::reject::{Refusal, excerpt};
use crate::shelf::Shelf;
use crate::store::dead_letter;
use service_kit::backoff;
use service_kit::clock;
use service_kit::health::Health;
use service_kit::postgres::{Failure, classify};
use sqlx::{PgConnection, PgPool};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// So many tries in a row are nothing to speak of.
const PATIENT: u32 = 5;

/// The pipeline: cheap to clone.
#[derive(Clone)]
pub struct Pipeline {
    /// The database.
    pub pool: PgPool,
    /// What it is told.
    pub settings: Settings,
    /// What was written a moment ago, for the relay.
    pub shelf: Shelf,
    /// Wakes the relay after a commit.
    pub committed: Arc<Notify>,
    /// Whether what was said is read.
    pub calm: Calm,
}

impl Pipeline {
    /// Processes a batch until it is committed. One that the database refuses is halved until
    /// the record that it refuses stands alone, and that one becomes a dead letter. Anything else
    /// is tried again, and seen: going on would lose the batch.
    pub async fn process(&self, works: Vec<Work>, health: &Health) {
        let mut open = vec![works];
        let mut attempt = 0;
        while let Some(part) = open.pop() {
            match self.commit(&part).await {
                Ok(()) => {
                    attempt = 0;
                    health.good("store");
                }
                Err(error) if classify(&error) == Failure::Value && divisible(&part) => {
                    open.extend(isolate(part, &error));
                }
                Err(error) if classify(&error) == Failure::TooMuch && part.len() > 1 => {
                    tracing::warn!(%error, records = part.len(), "half of the batch is tried");
                    open.extend(halves(part));
                }
                Err(error) => {
                    metric::retried("again");
                    // A deadlock is over at once; a database that is away is not.
                    if attempt > PATIENT {
                        self.calm.disturb();
                    }
                    health.bad("store", "a batch cannot be stored");
                    tracing::warn!(%error, records = part.len(), "the batch is tried again");
                    let (base, cap) = (Duration::from_millis(20), Duration::from_secs(2));
                    tokio::time::sleep(backoff::delay(attempt, base, cap)).await;
                    attempt += 1;
                    open.push(part);
                }
            }
        }
        self.committed.notify_waiters();
    }

    async fn commit(&self, works: &[Work]) -> Result<(), sqlx::Error> {
        let started = Instant::now();
        let mut transaction = self.pool.begin().await?;
        for letter in works.iter().filter_map(Work::dead_letter) {
            dead_letter::put(&mut transaction, &letter).await?;
        }
        let read = works.iter().filter_map(|work| work.result.as_ref().ok());
        let drafts: Vec<&Draft> = read.flatten().collect();
        let mut accepted = redrive(&mut transaction, &drafts, &self.settings).await?;
        // Before the commit: then nobody sees a row that is not on the shelf.
        let rows = std::mem::take(&mut accepted.rows);
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        self.shelf.put(rows);
        transaction.commit().await.inspect_err(|_| self.shelf.take_away(&ids))?;
        self.shelf.committed(&ids);
        accepted.remember(&self.settings.recent);
        works.iter().for_each(Work::done);
        metric::batch(started.elapsed());
        Ok(())
    }
}

/// A record that is refused already and still cannot be stored is no matter of its value.
fn divisible(part: &[Work]) -> bool {
    part.len() > 1 || part.iter().any(|work| work.result.is_ok())
}

/// The halves of a batch that holds a value which the database refuses, the first one last; or
/// the culprit alone, refused.
fn isolate(part: Vec<Work>, error: &sqlx::Error) -> Vec<Vec<Work>> {
    if part.len() == 1 {
        metric::retried("halved");
        let refusal = Refusal::RefusedByDatabase(excerpt(&error.to_string()));
        return vec![part.iter().map(|work| work.refused(refusal.clone())).collect()];
    }
    halves(part)
}

/// The second half, and the first, which is taken next.
fn halves(mut part: Vec<Work>) -> Vec<Vec<Work>> {
    metric::retried("halved");
    let second = part.split_off(part.len() / 2);
    vec![second, part]
}

/// Drives drafts in a transaction of the caller's.
///
/// # Errors
/// When the database is away or refuses a value.
pub async fn redrive(
    connection: &mut PgConnection,
    drafts: &[&Draft],
    settings: &Settings,
) -> Result<Accepted, sqlx::Error> {
    let resolved = resolve(connection, drafts, clock::now()).await?;
    accept(connection, resolved.drafts, &resolved.known, settings).await
}
