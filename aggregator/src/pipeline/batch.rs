//! One transaction for a batch; a value that the database refuses does not take it along.

use super::accept::{Settings, accept};
use super::resolve::resolve;
use super::work::Work;
use crate::draft::Draft;
use crate::metric;
use crate::reject::{Refusal, excerpt};
use crate::store::dead_letter;
use service_kit::backoff;
use service_kit::clock;
use service_kit::postgres::{Failure, classify};
use sqlx::{PgConnection, PgPool};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// The pipeline: cheap to clone.
#[derive(Clone)]
pub struct Pipeline {
    /// The database.
    pub pool: PgPool,
    /// What it is told.
    pub settings: Settings,
    /// Wakes the relay after a commit.
    pub committed: Arc<Notify>,
}

impl Pipeline {
    /// Processes a batch until it is committed. A batch that the database refuses is halved
    /// until the record that it refuses stands alone, and that one becomes a dead letter.
    ///
    /// # Errors
    /// A mistake of ours that trying again does not mend; the batch is not committed.
    pub async fn process(&self, works: Vec<Work>) -> Result<(), sqlx::Error> {
        let mut open = vec![works];
        let mut attempt = 0;
        while let Some(part) = open.pop() {
            let error = match self.commit(&part).await {
                Ok(()) => {
                    attempt = 0;
                    continue;
                }
                Err(error) => error,
            };
            match classify(&error) {
                Failure::Again => {
                    metric::retried("again");
                    tracing::warn!(%error, records = part.len(), "the batch is tried again");
                    tokio::time::sleep(backoff::delay(
                        attempt,
                        Duration::from_millis(20),
                        Duration::from_secs(2),
                    ))
                    .await;
                    attempt += 1;
                    open.push(part);
                }
                Failure::Value if part.len() > 1 => {
                    metric::retried("halved");
                    let mut first = part;
                    let second = first.split_off(first.len() / 2);
                    open.extend([second, first]);
                }
                Failure::Value if part.iter().any(|work| work.result.is_ok()) => {
                    let refusal = Refusal::RefusedByDatabase(excerpt(&error.to_string()));
                    open.push(part.iter().map(|work| work.refused(refusal.clone())).collect());
                }
                Failure::Value | Failure::Bug => return Err(error),
            }
        }
        self.committed.notify_waiters();
        Ok(())
    }

    async fn commit(&self, works: &[Work]) -> Result<(), sqlx::Error> {
        let started = Instant::now();
        let mut transaction = self.pool.begin().await?;
        for letter in works.iter().filter_map(Work::dead_letter) {
            dead_letter::put(&mut transaction, &letter).await?;
        }
        let drafts =
            works.iter().filter_map(|work| work.result.as_ref().ok()).flatten().cloned().collect();
        redrive(&mut transaction, drafts, self.settings).await?;
        transaction.commit().await?;
        metric::batch(started.elapsed());
        Ok(())
    }
}

/// Drives drafts in a transaction of the caller's.
///
/// # Errors
/// When the database is away or refuses a value.
pub async fn redrive(
    connection: &mut PgConnection,
    drafts: Vec<Draft>,
    settings: Settings,
) -> Result<(), sqlx::Error> {
    let resolved = resolve(connection, drafts, clock::now()).await?;
    accept(connection, resolved.drafts, &resolved.customers, settings).await
}
