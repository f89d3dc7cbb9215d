//! The side that pages watch.

use super::{FULL, Relay};
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
/// The database is asked so often for what other processes wrote, and for what could not be published. What
/// was written here goes out at once: Redis takes no older state for a newer one, so its order is free.
const ASK: Duration = Duration::from_millis(50);
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

pub(super) async fn run(relay: &Relay, live: LivePublisher) {
    let (mut refused, mut asked) = (Refused::default(), Instant::now());
    loop {
        let round = relay.round(PACE);
        let result = portion(relay, &live, &mut refused, &mut asked).await;
        relay.report(Side::Redis.name(), result, round).await;
    }
}

/// Publishes one portion; tells whether it was a full one.
async fn portion(
    relay: &Relay,
    live: &LivePublisher,
    waiting: &mut Refused,
    asked: &mut Instant,
) -> Result<bool, String> {
    // A lane that goes to another process is published here until it is gone: no page waits for that.
    let lanes = relay.lanes.held().with_leaving();
    let mut rows = if asked.elapsed() < ASK {
        relay.shelf.fresh(&lanes, MOST_FRESH)
    } else {
        *asked = Instant::now();
        let open = relay.open(Side::Redis, &lanes, waiting.now());
        open.await.map_err(|e| e.to_string())?
    };
    relay.shelf.given(&rows);
    let Some(first) = rows.first() else {
        return Ok(false);
    };
    let oldest = (clock::now() - first.created_at).to_std().unwrap_or_default();
    let mut ids: Vec<(i64, String)> =
        rows.iter().map(|row| (row.id, row.order_id.clone())).collect();
    newest_only(&mut rows);
    let states: Vec<LiveState> = rows.iter().map(|row| state(row)).collect();
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
        None => Ok(ids.len() >= FULL),
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

fn state(row: &Row) -> LiveState {
    LiveState {
        channel: format!("order:{}", row.order_id),
        version: u64::try_from(row.version).unwrap_or(0),
        data: row.timeline.clone(),
        traceparent: row.traceparent.clone(),
    }
}
