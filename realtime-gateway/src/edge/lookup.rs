//! `POST /v1/lookup`: at most 5 a minute from an address, and for an order, over all gateways.

use super::proxy;
use crate::gateway::ClientAddress;
use crate::metric;
use crate::upstream::Upstream;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use redis::RedisError;
use serde::Deserialize;
use service_kit::problem::Problem;
use service_kit::redis::Redis;

/// Look-ups a minute.
const MOST: u64 = 5;
/// Length of the window, in seconds.
const WINDOW: i64 = 60;
/// Longest order number that is counted by itself, in bytes.
const MAX_ORDER: usize = 64;

#[derive(Deserialize)]
struct Asked {
    order: String,
}

/// Counts, and passes on what is within the limit. While nobody can count, nobody can look up:
/// guessing must not become free because Redis is away.
pub(super) async fn pass_on(
    State((redis, aggregator)): State<(Redis, Upstream)>,
    ClientAddress(address): ClientAddress,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let asked: Result<Asked, _> = serde_json::from_slice(&body);
    let order = asked.map(|asked| asked.order.trim().trim_start_matches('#').to_lowercase());
    let mut keys = vec![format!("limit:lookup:address:{address}")];
    keys.extend(
        order.ok().filter(|o| o.len() <= MAX_ORDER).map(|o| format!("limit:lookup:order:{o}")),
    );
    for key in keys {
        if count(&redis, &key).await? > MOST {
            metric::refused("too_many_lookups");
            let problem = Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_requests",
                "At most 5 look-ups a minute.",
            );
            return Err(problem.retry_after(60));
        }
    }
    proxy::pass_on(State(aggregator), method, uri, headers, body).await
}

/// Counts one more in the window that the first one opened.
async fn count(redis: &Redis, key: &str) -> Result<u64, Problem> {
    let mut both = redis::pipe();
    both.atomic().cmd("SET").arg(key).arg(0).arg("EX").arg(WINDOW).arg("NX").ignore();
    both.cmd("INCR").arg(key);
    let answer: Result<(u64,), RedisError> =
        async { both.query_async(&mut redis.at(key).await?).await }.await;
    answer.map(|(count,)| count).map_err(|error| {
        tracing::warn!(%error, "look-ups cannot be counted");
        Problem::unavailable("Look-ups cannot be counted now.")
    })
}
