//! The deny list of all gateways: a sorted set in Redis, by the time of each word.
//!
//! It is read again twice a second instead of being published: what is only published can be lost,
//! and this must not be. Whoever knows more than the other tells it: a gateway reads all when the
//! numbers differ, and writes back what a Redis that was started again has forgotten.

use super::list::{Denied, Right};
use redis::aio::ConnectionManager;
use redis::{Pipeline, RedisError};
use service_kit::clock;
use service_kit::health::Health;
use service_kit::lifecycle::Lifecycle;
use std::cmp::Ordering;
use std::time::Duration;

/// The sorted set: rights, by the Unix milliseconds at which they were taken away.
const KEY: &str = "revoked";
/// How often the list is read: with a session's second, a right is gone within 2 s.
const EVERY: Duration = Duration::from_millis(500);
/// How much earlier than the newest word another gateway's clock may have dated one.
const SKEW_MS: i64 = 60_000;
/// How long a word is kept; no token should live longer. Ours live for a day at most.
const KEEP_MS: i64 = 30 * 24 * 3_600_000;

/// Takes a right away, on every gateway; here at once.
///
/// # Errors
/// When Redis does not answer: then the others do not know.
pub async fn revoke(
    redis: &ConnectionManager,
    denied: &Denied,
    right: Right,
) -> Result<(), RedisError> {
    let at = clock::now().timestamp_millis();
    denied.add(right.clone(), at);
    let mut pipeline = redis::pipe();
    add(&mut pipeline, &right, at);
    pipeline.exec_async(&mut redis.clone()).await
}

fn add(pipeline: &mut Pipeline, right: &Right, at: i64) {
    // GT: an older word never takes a newer one's place.
    pipeline.cmd("ZADD").arg(KEY).arg("GT").arg(at).arg(right.name()).ignore();
}

/// Keeps the list up to date until the soft stop. The gateway is not ready before the first
/// reading: a right that was taken away must not come back with a restart.
pub fn start(life: &Lifecycle, redis: ConnectionManager, denied: Denied, health: Health) {
    health.bad("revocations", "not read yet");
    let soft = life.soft().clone();
    life.spawn("revocations", async move {
        let mut newest = i64::MIN;
        let work = async {
            loop {
                match read(&redis, &denied, newest).await {
                    Ok(seen) => {
                        newest = seen;
                        health.good("revocations");
                    }
                    Err(error) => tracing::warn!(%error, "revocations cannot be read"),
                }
                tokio::time::sleep(EVERY).await;
            }
        };
        tokio::select! {
            () = work => {}
            () = soft.cancelled() => {}
        }
    });
}

/// Reads what is new since the newest word that was seen; gives the newest one now.
async fn read(redis: &ConnectionManager, denied: &Denied, newest: i64) -> Result<i64, RedisError> {
    let oldest = clock::now().timestamp_millis() - KEEP_MS;
    denied.forget(oldest);
    let from = newest.saturating_sub(SKEW_MS).max(oldest);
    let mut pipeline = redis::pipe();
    pipeline.atomic().cmd("ZREMRANGEBYSCORE").arg(KEY).arg("-inf").arg(oldest - 1).ignore();
    pipeline.zcard(KEY).zrangebyscore_withscores(KEY, from, "+inf");
    let (count, words): (usize, Vec<(String, i64)>) =
        pipeline.query_async(&mut redis.clone()).await?;
    let newest = words.iter().map(|(_, at)| *at).max().unwrap_or(newest).max(newest);
    for (name, at) in words {
        if let Some(right) = Right::from_name(&name) {
            denied.add(right, at);
        }
    }
    let own = denied.all();
    match own.len().cmp(&count) {
        Ordering::Equal => Ok(newest),
        // Read all of it the next time.
        Ordering::Less => Ok(i64::MIN),
        Ordering::Greater => tell(redis, &own).await.map(|()| newest),
    }
}

/// Writes back what Redis has forgotten.
async fn tell(redis: &ConnectionManager, own: &[(Right, i64)]) -> Result<(), RedisError> {
    tracing::warn!(rights = own.len(), "Redis has forgotten revocations; they are written back");
    let mut pipeline = redis::pipe();
    for (right, at) in own {
        add(&mut pipeline, right, *at);
    }
    pipeline.exec_async(&mut redis.clone()).await
}
