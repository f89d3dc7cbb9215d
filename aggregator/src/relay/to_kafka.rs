//! The side that other programs work on: `order.events` and `order.timeline`.

use super::{Relay, fills_a_lane};
use crate::metric;
use crate::store::outbox::{Row, Side};
use contract::name::{TOPIC_ORDER_EVENTS, TOPIC_ORDER_TIMELINE, TRACEPARENT};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use service_kit::clock;
use service_kit::kafka::{Outgoing, Producer};
use std::sync::Arc;
use std::time::Duration;

/// Nobody waits for these with an open page, but for what other processes wrote: what comes within this time is one
/// question to the database (which reads over what was removed a moment ago, too) and one to the broker.
const PACE: Duration = Duration::from_millis(50);
/// The same while there is more than a little. Not longer: what was written is kept until the broker has it.
pub(super) const PACE_OF_MUCH: Duration = Duration::from_millis(100);
/// What is no more than this is little: the next comes at the shorter pace.
const LITTLE: usize = 16;

/// Publishes one portion after the other, so that the versions of a lane leave in order.
pub(super) async fn run(relay: &Relay, producer: Producer) {
    let mut pace = PACE;
    loop {
        let round = relay.round(pace);
        let result = portion(relay, &producer).await;
        let count = *result.as_ref().map_or(&0, |(count, _)| count);
        pace = pace_after(count);
        relay.report(Side::Kafka.name(), result.map(|(_, full)| full), round).await;
    }
}

/// The pace after a round with so many rows.
const fn pace_after(count: usize) -> Duration {
    if count > LITTLE { PACE_OF_MUCH } else { PACE }
}

/// Publishes one portion; tells how many rows it had, and whether it was a full one.
async fn portion(relay: &Relay, producer: &Producer) -> Result<(usize, bool), String> {
    let turn = relay.lanes.held();
    let rows = relay.open(Side::Kafka, turn.lanes(), []).await.map_err(|e| e.to_string())?;
    let Some(first) = rows.first() else { return Ok((0, false)) };
    let oldest = (clock::now() - first.created_at).to_std().unwrap_or_default();
    send(producer, &rows).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    relay.has(Side::Kafka, &ids).await.map_err(|e| e.to_string())?;
    metric::published("kafka", ids.len(), oldest);
    Ok((rows.len(), fills_a_lane(&rows)))
}

/// Sends versions in their order. Those among which one is that Kafka will never take are halved until it stands
/// alone, and is left out: it stops no other.
async fn send(producer: &Producer, rows: &[Arc<Row>]) -> Result<(), String> {
    let mut open = vec![rows];
    while let Some(part) = open.pop() {
        let records = part.iter().flat_map(records);
        match (producer.send(records).await, part) {
            (Err(error), [row]) if too_large(&error) => {
                metric::unpublishable();
                tracing::error!(order.id = %row.order_id, version = row.version, "too large for Kafka; left out");
            }
            (Err(error), _) if too_large(&error) => {
                let (first, second) = part.split_at(part.len() / 2);
                open.extend([second, first]);
            }
            (sent, _) => sent.map_err(|e| e.to_string())?,
        }
    }
    Ok(())
}

/// Made one after the other: a portion's texts are megabytes, and the client has copies.
fn records(row: &Arc<Row>) -> [Outgoing; 2] {
    [event(row), message(row)]
}

fn too_large(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageSizeTooLarge)
}

fn event(row: &Row) -> Outgoing {
    traced(Outgoing::new(TOPIC_ORDER_EVENTS, row.order_id.as_bytes(), row.event.as_bytes()), row)
        .header("content-type", "application/cloudevents+json")
}

/// Put together from texts that are JSON already, in one go: nothing is parsed or copied twice.
fn message(row: &Row) -> Outgoing {
    let previous = serde_json::to_string(&row.previous_status).unwrap_or_default();
    let accepted = row.created_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let value = [
        r#"{"event":"#,
        &row.event,
        r#","timeline":"#,
        &row.timeline,
        r#","previous_status":"#,
        &previous,
        r#","customer":"#,
        &row.customer,
        r#","accepted_at":""#,
        &accepted,
        r#""}"#,
    ];
    traced(Outgoing::new(TOPIC_ORDER_TIMELINE, row.order_id.as_bytes(), value.concat()), row)
}

fn traced(record: Outgoing, row: &Row) -> Outgoing {
    match &row.traceparent {
        Some(trace) => record.header(TRACEPARENT, trace.as_bytes()),
        None => record,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_little_is_followed_at_the_shorter_pace() {
        assert_eq!([0, LITTLE, LITTLE + 1].map(pace_after), [PACE, PACE, PACE_OF_MUCH]);
    }
}
