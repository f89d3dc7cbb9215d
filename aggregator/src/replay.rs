//! Drives refused records again: back to the topic that they came from, as they were.

use crate::draft::Draft;
use crate::pipeline::{self, Pipeline};
use crate::store::dead_letter::{self, DeadLetter, Filter};
use crate::store::replay;
use service_kit::kafka::{Outgoing, Producer};
use service_kit::lifecycle::Lifecycle;
use std::time::Duration;

/// Records at a time.
const PORTION: i64 = 500;

/// Works on the runs that operators begin, until the soft stop.
pub fn start(life: &Lifecycle, pipeline: Pipeline, producer: Producer) {
    let soft = life.soft().clone();
    life.spawn("replay", async move {
        loop {
            let more = match portion(&pipeline, &producer).await {
                Ok(more) => more,
                Err(error) => {
                    tracing::warn!(%error, "driving refused records again is tried again");
                    false
                }
            };
            let rest = if more { Duration::ZERO } else { Duration::from_millis(500) };
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                () = soft.cancelled() => return,
            }
        }
    });
}

/// Takes one portion of a run; tells whether there is more. A crash sends a portion twice, which
/// is harmless: events are known by their keys.
async fn portion(pipeline: &Pipeline, producer: &Producer) -> anyhow::Result<bool> {
    let mut transaction = pipeline.pool.begin().await?;
    let Some(run) = replay::claim(&mut transaction).await? else { return Ok(false) };
    let filter = Filter { source: run.source.as_deref(), reason: run.reason.as_deref() };
    let letters =
        dead_letter::open_after(&mut transaction, filter, run.at, run.up_to, PORTION).await?;
    let at = letters.last().map_or(run.at, |(id, _)| *id);
    let finished = i64::try_from(letters.len())? < PORTION;
    let more = i64::try_from(letters.len())?;
    drive(&mut transaction, pipeline, producer, letters).await?;
    replay::advance(&mut transaction, run.id, at, more, finished).await?;
    transaction.commit().await?;
    pipeline.committed.notify_waiters();
    Ok(!finished)
}

/// Drives refused records again, in a transaction of the caller's.
///
/// # Errors
/// When Kafka or the database is away.
pub async fn drive(
    connection: &mut sqlx::PgConnection,
    pipeline: &Pipeline,
    producer: &Producer,
    letters: Vec<(i64, DeadLetter)>,
) -> anyhow::Result<()> {
    let ids: Vec<i64> = letters.iter().map(|(id, _)| *id).collect();
    // One that waited in vain has no record any more: its draft is what there is.
    let (waited, records): (Vec<_>, Vec<_>) =
        letters.into_iter().partition(|(_, letter)| letter.topic.starts_with("parked:"));
    let drafts: Vec<Draft> = waited
        .iter()
        .filter_map(|(_, letter)| serde_json::from_slice(&letter.value).ok())
        .collect();
    if !drafts.is_empty() {
        pipeline::redrive(connection, drafts, &pipeline.settings).await?;
    }
    let records: Vec<Outgoing> = records.into_iter().map(|(_, letter)| record(letter)).collect();
    producer.send(&records).await?;
    dead_letter::replayed(connection, &ids).await?;
    Ok(())
}

/// The record as it was, headers and first receipt included.
fn record(letter: DeadLetter) -> Outgoing {
    let mut record = Outgoing::new(letter.topic, letter.position.to_string(), letter.value);
    for (name, value) in letter.headers.iter().filter(|(name, _)| *name != "received-at") {
        record = record.header(name, value.as_bytes());
    }
    record.header("received-at", letter.received_at.to_rfc3339())
}
