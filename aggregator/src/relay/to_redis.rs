//! The side that pages watch.

use super::{Relay, fills_a_lane, to_kafka};
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
/// The same while there is much, or it is not calm: then a page is behind by more than that, or the machine has more
/// to do than it can, and rounds cost more than what is in them.
const PACE_OF_MUCH: Duration = Duration::from_millis(40);
/// More than this in a round is much: more than 12,500 a second at the shorter pace, then more than 2,500 at the longer.
const MUCH: usize = 100;
/// The database is asked so often for what other processes wrote, and for what could not be published. What
/// was written here goes out at once: Redis takes no older state for a newer one, so its order is free.
const ASK: Duration = Duration::from_millis(50);
/// So often while the other side asks, and tells of what others wrote; and while it is not calm: each question reads
/// over all that Kafka does not have yet, which is much then.
const ASK_LESS: Duration = Duration::from_secs(1);
/// The other side asked within this time: it is not held up by Kafka.
const LATELY: Duration = to_kafka::PACE_OF_MUCH.saturating_mul(3);
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
    /// Of these lanes.
    lanes: Vec<i16>,
    /// There may be more, or something could not be published.
    more: bool,
}

impl Asked {
    /// Is it time for the next one? Less often while pages can wait, or hear of everything without it; not of
    /// lanes that somebody else had until now.
    fn is_due(&self, lanes: &[i16], less: bool) -> bool {
        let less = less && !self.more && self.lanes == lanes;
        self.at.elapsed() >= if less { ASK_LESS } else { ASK }
    }
}

pub(super) async fn run(relay: &Relay, live: LivePublisher) {
    let mut refused = Refused::default();
    let mut asked = Asked { at: Instant::now(), lanes: Vec::new(), more: false };
    let mut pace = PACE;
    loop {
        let round = relay.round(pace);
        let result = portion(relay, &live, &mut refused, &mut asked).await;
        asked.more |= result.is_err();
        pace = pace_after(result.as_ref().map_or(0, |(count, _)| *count), relay.calm.is_there());
        relay.report(Side::Redis.name(), result.map(|(_, full)| full), round).await;
    }
}

/// The pace after a round with so many rows.
const fn pace_after(count: usize, is_calm: bool) -> Duration {
    if is_calm && count <= MUCH { PACE } else { PACE_OF_MUCH }
}

/// Publishes one portion; tells how many rows it had, and whether it was a full one.
async fn portion(
    relay: &Relay,
    live: &LivePublisher,
    waiting: &mut Refused,
    asked: &mut Asked,
) -> Result<(usize, bool), String> {
    // A lane that goes to another process is published here until it is gone: no page waits for that.
    let lanes = relay.lanes.held().with_leaving();
    let hears = hears(*relay.looked.borrow(), relay.lanes.held().lanes().len(), lanes.len());
    let mut rows = if asked.is_due(&lanes, hears || !relay.calm.is_there()) {
        asked.at = Instant::now();
        let open = relay.open(Side::Redis, &lanes, waiting.now());
        let rows = open.await.map_err(|e| e.to_string())?;
        asked.more = fills_a_lane(&rows);
        asked.lanes.clone_from(&lanes);
        rows
    } else {
        relay.shelf.fresh(&lanes, MOST_FRESH)
    };
    let (count, full) = (rows.len(), rows.len() >= MOST_FRESH || fills_a_lane(&rows));
    relay.shelf.given(&rows);
    let Some(first) = rows.first() else {
        return Ok((0, false));
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
        None => Ok((count, full)),
    }
}

/// Did the other side lately tell all that others wrote to so many lanes? It asks for one's own, not for those that
/// are leaving; nor does it find what pages alone lack (an order that was rebuilt, a lane's rows that Kafka has).
fn hears(looked: Option<Instant>, own: usize, lanes: usize) -> bool {
    own == lanes && looked.is_some_and(|at| at.elapsed() < LATELY)
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
        let asked = |ago: Duration, more: bool| Asked {
            at: Instant::now().checked_sub(ago).unwrap(),
            lanes: vec![1],
            more,
        };
        assert!(asked(ASK, false).is_due(&[1], false) && !asked(ASK, false).is_due(&[1], true));
        assert!(asked(ASK, true).is_due(&[1], true) && asked(ASK_LESS, false).is_due(&[1], true));
        assert!(!asked(Duration::ZERO, true).is_due(&[1], false));
        assert!(asked(ASK, false).is_due(&[1, 2], true), "the second was somebody else's");
    }

    #[test]
    fn what_is_little_goes_out_soon_and_a_backlog_does_not() {
        assert_eq!([0, MUCH].map(|count| pace_after(count, true)), [PACE; 2]);
        assert_eq!(
            [(MUCH + 1, true), (0, false)].map(|(n, calm)| pace_after(n, calm)),
            [PACE_OF_MUCH; 2]
        );
    }

    #[test]
    fn pages_hear_of_what_others_wrote_as_long_as_the_other_side_looks() {
        let lately = Some(Instant::now());
        assert!(hears(lately, 4, 4) && !hears(lately, 4, 8) && !hears(None, 4, 4));
        assert!(!hears(Instant::now().checked_sub(LATELY), 4, 4));
    }
}
