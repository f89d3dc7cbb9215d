//! The side that pages watch.

use super::{PORTION, Relay};
use crate::metric;
use crate::store::outbox::{self, Row};
use service_kit::clock;
use service_kit::live_bus::{LivePublisher, LiveState};

pub(super) async fn run(relay: Relay, live: LivePublisher) {
    loop {
        let result = portion(&relay, &live).await;
        relay.report("redis", result).await;
    }
}

/// Publishes one portion; tells whether it was a full one.
async fn portion(relay: &Relay, live: &LivePublisher) -> Result<bool, String> {
    let rows = outbox::for_redis(&relay.pool, &relay.lanes.held(), PORTION)
        .await
        .map_err(|e| e.to_string())?;
    let Some(first) = rows.first() else {
        return Ok(false);
    };
    let oldest = (clock::now() - first.created_at).to_std().unwrap_or_default();
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let states: Vec<LiveState> = rows.into_iter().map(state).collect();
    live.publish(&states, clock::now().timestamp_millis()).await.map_err(|e| e.to_string())?;
    outbox::redis_has(&relay.pool, &ids).await.map_err(|e| e.to_string())?;
    metric::published("redis", ids.len(), oldest);
    Ok(ids.len() == usize::try_from(PORTION).unwrap_or(0))
}

fn state(row: Row) -> LiveState {
    LiveState {
        channel: format!("order:{}", row.order_id),
        version: u64::try_from(row.version).unwrap_or(0),
        data: row.timeline,
        traceparent: row.traceparent,
    }
}
