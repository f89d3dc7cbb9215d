//! The side that other programs work on: `order.events` and `order.timeline`.

use super::{FULL, Relay};
use crate::metric;
use crate::store::outbox::{Row, Side};
use contract::name::{TOPIC_ORDER_EVENTS, TOPIC_ORDER_TIMELINE, TRACEPARENT};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use service_kit::clock;
use service_kit::kafka::{Outgoing, Producer};
use std::sync::Arc;
use std::time::Duration;

/// Loops, each with its share of the lanes: while one waits for the broker's answer, the other makes up
/// what comes next. One that has nothing to publish knows nothing of Kafka's health, so each tells its own.
pub(super) const SHARES: [&str; 2] = ["kafka, even lanes", "kafka, odd lanes"];

/// Nobody waits for these with an open page: what comes within this time is one question to the database and
/// one to the broker.
const PACE: Duration = Duration::from_millis(50);

/// Publishes what stands in a share of the lanes: a lane is one loop's alone, so that its versions leave
/// in order.
pub(super) async fn run(relay: &Relay, producer: Producer, share: usize, name: &'static str) {
    loop {
        let round = relay.round(PACE);
        let result = portion(relay, &producer, share).await;
        relay.report(name, result, round).await;
    }
}

/// Publishes one portion; tells whether it was a full one.
async fn portion(relay: &Relay, producer: &Producer, share: usize) -> Result<bool, String> {
    let turn = relay.lanes.held();
    let of_share =
        |lane: &i16| usize::try_from(*lane).is_ok_and(|lane| lane % SHARES.len() == share);
    let lanes: Vec<i16> = turn.lanes().iter().copied().filter(of_share).collect();
    let rows = relay.open(Side::Kafka, &lanes, []).await.map_err(|e| e.to_string())?;
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
