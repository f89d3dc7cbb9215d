//! The side that other programs work on: `order.events`, `order.timeline`, the dead letters.

use super::{FULL, Relay};
use crate::metric;
use crate::store::dead_letter::{self, DeadLetter};
use crate::store::outbox::{Row, Side};
use contract::name::{
    MAX_MESSAGE, TOPIC_DEAD_LETTER, TOPIC_ORDER_EVENTS, TOPIC_ORDER_TIMELINE, TRACEPARENT,
};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use service_kit::clock;
use service_kit::kafka::{Outgoing, Producer};
use std::sync::Arc;

pub(super) async fn run(relay: &Relay, producer: Producer) {
    loop {
        let committed = relay.committed.notified();
        let result = portion(relay, &producer).await;
        relay.report(Side::Kafka, result, committed).await;
    }
}

/// Publishes one portion of versions and one of dead letters; tells whether one was full.
async fn portion(relay: &Relay, producer: &Producer) -> Result<bool, String> {
    let versions = versions(relay, producer).await;
    // A dead letter that cannot be sent must not hold up what can.
    let letters = dead_letters(relay, producer).await;
    Ok(versions? || letters?)
}

async fn versions(relay: &Relay, producer: &Producer) -> Result<bool, String> {
    let rows = relay.open(Side::Kafka).await.map_err(|e| e.to_string())?;
    let Some(first) = rows.first() else { return Ok(false) };
    let oldest = (clock::now() - first.created_at).to_std().unwrap_or_default();
    let records: Vec<Outgoing> = rows.iter().flat_map(|row| [event(row), message(row)]).collect();
    match producer.send(&records).await {
        Err(error) if too_large(&error) => singly(producer, &rows).await?,
        other => other.map_err(|e| e.to_string())?,
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    relay.has(Side::Kafka, &ids).await.map_err(|e| e.to_string())?;
    metric::published("kafka", ids.len(), oldest);
    Ok(ids.len() >= FULL)
}

/// One version after the other, so that one which Kafka will never take stops no other.
async fn singly(producer: &Producer, rows: &[Arc<Row>]) -> Result<(), String> {
    for row in rows {
        match producer.send(&[event(row), message(row)]).await {
            Err(error) if too_large(&error) => {
                metric::unpublishable();
                tracing::error!(order.id = %row.order_id, version = row.version, "too large for Kafka; left out");
            }
            other => other.map_err(|e| e.to_string())?,
        }
    }
    Ok(())
}

fn too_large(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageSizeTooLarge)
}

fn event(row: &Row) -> Outgoing {
    traced(Outgoing::new(TOPIC_ORDER_EVENTS, row.order_id.as_bytes(), row.event.as_bytes()), row)
        .header("content-type", "application/cloudevents+json")
}

/// Put together from texts that are JSON already: nothing is parsed twice.
fn message(row: &Row) -> Outgoing {
    let previous = serde_json::to_string(&row.previous_status).unwrap_or_default();
    let accepted = row.created_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let value = format!(
        r#"{{"event":{},"timeline":{},"previous_status":{previous},"customer":{},"accepted_at":"{accepted}"}}"#,
        row.event, row.timeline, row.customer
    );
    traced(Outgoing::new(TOPIC_ORDER_TIMELINE, row.order_id.as_bytes(), value), row)
}

fn traced(record: Outgoing, row: &Row) -> Outgoing {
    match &row.traceparent {
        Some(trace) => record.header(TRACEPARENT, trace.as_bytes()),
        None => record,
    }
}

async fn dead_letters(relay: &Relay, producer: &Producer) -> Result<bool, String> {
    // A refused record may be large: few at a time.
    let letters = dead_letter::unpublished(&relay.pool, 16).await.map_err(|e| e.to_string())?;
    if letters.is_empty() {
        return Ok(false);
    }
    let (ids, letters): (Vec<i64>, Vec<DeadLetter>) = letters.into_iter().unzip();
    let records: Vec<Outgoing> = letters.into_iter().map(letter).collect();
    producer.send(&records).await.map_err(|e| e.to_string())?;
    dead_letter::published(&relay.pool, &ids).await.map_err(|e| e.to_string())?;
    Ok(ids.len() == 16)
}

/// What a dead letter may hold beside its headers; a record that was compressed may be longer.
const LETTER_ROOM: usize = MAX_MESSAGE - 64 * 1024;

fn letter(mut letter: DeadLetter) -> Outgoing {
    let cut = letter.value.len() > LETTER_ROOM;
    letter.value.truncate(LETTER_ROOM);
    let key = letter.order_id.unwrap_or_default();
    let record = Outgoing::new(TOPIC_DEAD_LETTER, key, letter.value)
        .header("source", letter.source)
        .header("reason", letter.reason)
        .header("detail", letter.detail)
        .header("topic", letter.topic)
        .header("partition", letter.partition.to_string())
        .header("offset", letter.position.to_string())
        .header("received-at", letter.received_at.to_rfc3339());
    if cut { record.header("truncated", "true") } else { record }
}
