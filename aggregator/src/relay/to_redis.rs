//! The side that pages watch.

use super::{Relay, fills_a_lane};
use crate::metric;
use crate::store::outbox::{Row, Side};
use redis::RedisError;
use service_kit::clock;
use service_kit::live_bus::{LivePublisher, LiveState};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long rows are left out that were refused: of a cluster one node may be away, and what the others
/// have must not wait behind it.
const REFUSED: Duration = Duration::from_secs(1);
/// What comes within this time goes to Redis in one go: no eye sees it.
const PACE: Duration = Duration::from_millis(8);
/// The same while it is not calm: a page is behind by more than that then.
const PACE_IN_BACKLOG: Duration = Duration::from_millis(40);
/// The database is asked so often for what other processes wrote, and for what could not be published. What
/// was written here goes out at once: Redis takes no older state for a newer one, so its order is free.
const ASK: Duration = Duration::from_millis(50);
/// So often while it is not calm and the last answer was no full one: each question reads over all that Kafka does
/// not have yet, which is much then.
const ASK_LESS: Duration = Duration::from_secs(1);
/// Rows that are taken at a time of those that were written here.
const MOST_FRESH: usize = 1_000;
/// Rows that are left out at most.
const MOST: usize = 20_000;

/// Rows that were refused a moment ago.
#[derive(Default)]
struct Refused(HashMap<i64, Instant>);

impl Refused {
    fn add(&mut self, rows: impl Iterator<Item = i64>) {
        let until = Instant::now() + REFUSED;
        let room = MOST.saturating_sub(self.0.len());
        self.0.extend(rows.take(room).map(|row| (row, until)));
    }

    fn now(&mut self) -> Vec<i64> {
        let now = Instant::now();
        self.0.retain(|_, until| *until > now);
        self.0.keys().copied().collect()
    }
}

/// The last question to the database.
struct Asked {
    at: Instant,
    /// There may be more.
    full: bool,
}

impl Asked {
    fn is_due(&self, calm: bool) -> bool {
        self.at.elapsed() >= if calm || self.full { ASK } else { ASK_LESS }
    }
}

pub(super) async fn run(relay: &Relay, live: LivePublisher) {
    let mut refused = Refused::default();
    let mut asked = Asked { at: Instant::now(), full: false };
    loop {
        let pace = if relay.calm.is_there() { PACE } else { PACE_IN_BACKLOG };
        let round = relay.round(pace);
        let result = portion(relay, &live, &mut refused, &mut asked).await;
        relay.report(Side::Redis.name(), result, round).await;
    }
}

/// Publishes one portion; tells whether it was a full one.
async fn portion(
    relay: &Relay,
    live: &LivePublisher,
    waiting: &mut Refused,
    asked: &mut Asked,
) -> Result<bool, String> {
    // A lane that goes to another process is published here until it is gone: no page waits for that.
    let lanes = relay.lanes.held().with_leaving();
    let mut rows = if asked.is_due(relay.calm.is_there()) {
        asked.at = Instant::now();
        let open = relay.open(Side::Redis, &lanes, waiting.now());
        let rows = open.await.map_err(|e| e.to_string())?;
        asked.full = fills_a_lane(&rows);
        rows
    } else {
        relay.shelf.fresh(&lanes, MOST_FRESH)
    };
    let full = rows.len() >= MOST_FRESH || fills_a_lane(&rows);
    relay.shelf.given(&rows);
    let Some(first) = rows.first() else {
        return Ok(false);
    };
    let oldest = (clock::now() - first.created_at).to_std().unwrap_or_default();
    let mut ids: Vec<(i64, String)> =
        rows.iter().map(|row| (row.id, row.order_id.clone())).collect();
    newest_only(&mut rows);
    let states: Vec<LiveState<'_>> = rows.iter().map(|row| state(row)).collect();
    let told = live.publish_each(&states, clock::now().timestamp_millis()).await;
    // Of a cluster one node may be away: what it has waits, and nothing else.
    let refused =
        rows.iter().zip(told).filter_map(|(row, told)| Some((&row.order_id, told.err()?)));
    let refused: HashMap<&String, RedisError> = refused.collect();
    let out = ids.extract_if(.., |(_, order)| refused.contains_key(order));
    let out: Vec<i64> = out.map(|(id, _)| id).collect();
    // While all of Redis is away nothing waits behind anything.
    if !ids.is_empty() {
        waiting.add(out.into_iter());
    }
    let ids: Vec<i64> = ids.into_iter().map(|(id, _)| id).collect();
    relay.has(Side::Redis, &ids).await.map_err(|e| e.to_string())?;
    metric::published("redis", ids.len(), oldest);
    match refused.into_values().next() {
        Some(error) => Err(error.to_string()),
        None => Ok(full),
    }
}

/// Of several versions of an order that wait, the newest is enough: every state is whole.
fn newest_only(rows: &mut Vec<Arc<Row>>) {
    let mut newest: HashMap<String, i64> = HashMap::new();
    for row in rows.iter() {
        let version = newest.entry(row.order_id.clone()).or_insert(row.version);
        *version = (*version).max(row.version);
    }
    rows.retain(|row| newest.get(&row.order_id) == Some(&row.version));
}

fn state(row: &Row) -> LiveState<'_> {
    LiveState {
        channel: format!("order:{}", row.order_id),
        version: u64::try_from(row.version).unwrap_or(0),
        data: row.timeline.as_str().into(),
        traceparent: row.traceparent.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_answer_is_followed_by_another_question_at_once() {
        let asked = |ago: Duration, full: bool| Asked {
            at: Instant::now().checked_sub(ago).unwrap(),
            full,
        };
        assert!(asked(ASK, false).is_due(true) && !asked(ASK, false).is_due(false));
        assert!(asked(ASK, true).is_due(false) && asked(ASK_LESS, false).is_due(false));
        assert!(!asked(Duration::ZERO, true).is_due(true));
    }
}
