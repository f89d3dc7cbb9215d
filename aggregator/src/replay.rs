//! Drives refused records again: back to the topic that they came from, as they were.

use crate::draft::Draft;
use crate::pipeline::{self, Pipeline};
use crate::store::dead_letter::{self, DeadLetter, Filter};
use crate::store::replay;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use service_kit::kafka::{Outgoing, Producer};
use service_kit::lifecycle::Lifecycle;
use std::time::Duration;

/// Records at a time, and bytes of their values: one may be as large as a record may.
const PORTION: i64 = 500;
const BYTES: i64 = 8 * 1024 * 1024;

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

/// Takes one portion of a run; tells whether there is more. A crash sends a portion twice: events are
/// known by their keys, and what is refused again is listed twice.
async fn portion(pipeline: &Pipeline, producer: &Producer) -> anyhow::Result<bool> {
    let mut transaction = pipeline.pool.begin().await?;
    let Some(run) = replay::claim(&mut transaction).await? else { return Ok(false) };
    let filter = Filter { source: run.source.as_deref(), reason: run.reason.as_deref() };
    let most = (PORTION, BYTES);
    let letters =
        dead_letter::open_after(&mut transaction, filter, run.at, run.up_to, most).await?;
    let at = letters.last().map_or(run.at, |(id, _)| *id);
    // None for us may be some that another process drives just now: if that fails, they are left.
    let left = letters.is_empty()
        && dead_letter::any_open(&mut transaction, filter, run.at, run.up_to).await?;
    let finished = letters.is_empty() && !left;
    let sent = send_out(producer, letters).await?;
    let driven = settle(&mut transaction, pipeline, sent).await?;
    replay::advance(&mut transaction, run.id, at, i64::try_from(driven)?, finished).await?;
    transaction.commit().await?;
    pipeline.committed.notify_waiters();
    Ok(!finished && !left)
}

/// Refused records that Kafka has again, and drafts that are to be driven.
pub struct Sent {
    driven: Vec<i64>,
    drafts: Vec<Draft>,
}

/// Sends refused records out. One that Kafka will never take, or that cannot be read any more, stays refused.
/// Before anything is locked: nobody's news waits behind a broker.
///
/// # Errors
/// When Kafka is away.
pub async fn send_out(
    producer: &Producer,
    letters: Vec<(i64, DeadLetter)>,
) -> Result<Sent, KafkaError> {
    // One that waited in vain has no record any more: its draft is what there is.
    let (waited, records): (Vec<_>, Vec<_>) =
        letters.into_iter().partition(|(_, letter)| letter.topic.starts_with("parked:"));
    let (mut driven, drafts): (Vec<i64>, Vec<Draft>) = waited.iter().filter_map(draft).unzip();
    driven.extend(send(producer, records).await?);
    Ok(Sent { driven, drafts })
}

/// Notes what was sent and drives the drafts, in a transaction of the caller's; returns how many that are.
///
/// # Errors
/// When the database is away.
pub async fn settle(
    connection: &mut sqlx::PgConnection,
    pipeline: &Pipeline,
    sent: Sent,
) -> Result<usize, sqlx::Error> {
    if !sent.drafts.is_empty() {
        let drafts: Vec<&Draft> = sent.drafts.iter().collect();
        pipeline::redrive(connection, &drafts, &pipeline.settings).await?;
    }
    dead_letter::replayed(connection, &sent.driven).await?;
    Ok(sent.driven.len())
}

fn draft((id, letter): &(i64, DeadLetter)) -> Option<(i64, Draft)> {
    let draft = serde_json::from_slice(&letter.value).ok();
    if draft.is_none() {
        // The error would quote it.
        tracing::warn!(letter = id, "it stays refused: its draft cannot be read");
    }
    draft.map(|draft| (*id, draft))
}

/// Sends records back to their topics; returns those that Kafka has.
async fn send(
    producer: &Producer,
    letters: Vec<(i64, DeadLetter)>,
) -> Result<Vec<i64>, KafkaError> {
    let records = letters.into_iter().map(|(id, letter)| (id, record(letter)));
    let (ids, records): (Vec<i64>, Vec<Outgoing>) = records.unzip();
    let mut taken = Vec::new();
    for (id, sent) in ids.into_iter().zip(producer.send_each(&records).await) {
        match sent {
            Err(error) if never(&error) => {
                tracing::warn!(letter = id, %error, "it stays refused: Kafka never takes it");
            }
            other => other.map(|()| taken.push(id))?,
        }
    }
    Ok(taken)
}

/// Is it the record's own fault, or that of the topic that it came from?
fn never(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{
        InvalidTopic, MessageSizeTooLarge, UnknownPartition, UnknownTopic, UnknownTopicOrPartition,
    };
    let code = error.rdkafka_error_code();
    matches!(
        code,
        Some(
            MessageSizeTooLarge
                | InvalidTopic
                | UnknownPartition
                | UnknownTopic
                | UnknownTopicOrPartition
        )
    )
}

/// The record as it was, headers and first receipt included.
fn record(letter: DeadLetter) -> Outgoing {
    let order = letter.order_id.unwrap_or_default();
    let mut record = Outgoing::new(letter.topic, order, letter.value);
    for (name, value) in letter.headers.iter().filter(|(name, _)| *name != "received-at") {
        record = record.header(name.clone(), value.as_bytes());
    }
    record.header("received-at", letter.received_at.to_rfc3339())
}
