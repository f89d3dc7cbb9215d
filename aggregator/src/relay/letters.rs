//! Dead letters, for whoever mends their sources. Nobody waits for one, and one that cannot be sent
//! holds up no version (but later letters, and says so).

use super::Relay;
use crate::store::dead_letter::{self, DeadLetter};
use contract::name::{MAX_MESSAGE, TOPIC_DEAD_LETTER};
use service_kit::kafka::{Outgoing, Producer};
use std::time::Duration;

/// A refused record may be large: few at a time.
const PORTION: i64 = 16;
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(250);
/// Its name in the health of the service.
const NAME: &str = "dead letters";

pub(super) async fn run(relay: &Relay, producer: Producer) {
    loop {
        match portion(relay, &producer).await {
            Ok(full) => {
                relay.health.good(NAME);
                if full {
                    continue;
                }
            }
            Err(error) => {
                relay.health.bad(NAME, "cannot publish");
                tracing::warn!(error, "publishing dead letters is tried again");
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Publishes one portion; tells whether it was a full one.
async fn portion(relay: &Relay, producer: &Producer) -> Result<bool, String> {
    let turn = relay.lanes.held();
    if !turn.leads() {
        return Ok(false);
    }
    let letters =
        dead_letter::unpublished(&relay.pool, PORTION).await.map_err(|e| e.to_string())?;
    if letters.is_empty() {
        return Ok(false);
    }
    let (ids, letters): (Vec<i64>, Vec<DeadLetter>) = letters.into_iter().unzip();
    let records: Vec<Outgoing> = letters.into_iter().map(letter).collect();
    producer.send(&records).await.map_err(|e| e.to_string())?;
    dead_letter::published(&relay.pool, &ids).await.map_err(|e| e.to_string())?;
    Ok(i64::try_from(ids.len()) == Ok(PORTION))
}

/// What a dead letter may hold beside its headers; a record that was compressed may be longer.
const LETTER_ROOM: usize = MAX_MESSAGE - 64 * 1024;

fn letter(mut letter: DeadLetter) -> Outgoing {
    let cut = letter.value.len() > LETTER_ROOM;
    letter.value.truncate(LETTER_ROOM);
    let key = letter.order_id.unwrap_or_default();
    let mut record = Outgoing::new(TOPIC_DEAD_LETTER, key, letter.value)
        .header("source", letter.source)
        .header("reason", letter.reason)
        .header("detail", letter.detail)
        .header("topic", letter.topic)
        .header("partition", letter.partition.to_string())
        .header("offset", letter.position.to_string())
        .header("received-at", letter.received_at.to_rfc3339());
    // Empty is what is said of it, not none.
    record.key.get_or_insert_default();
    if cut { record.header("truncated", "true") } else { record }
}
