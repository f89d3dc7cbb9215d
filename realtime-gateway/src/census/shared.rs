//! How many connections a customer has on all gateways: a hash in Redis for each of whom the others are
//! told, with a field for each gateway.
//!
//! Told after the fact and for many at once, so that letting somebody in waits for nobody: whoever has
//! too many loses the newest within a second.

use super::register::Census;
use futures_util::future::try_join_all;
use redis::{Cmd, RedisError, Value, from_redis_value, pipe};
use service_kit::clock;
use service_kit::lifecycle::Lifecycle;
use service_kit::redis::Redis;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How often changes are told.
const EVERY: Duration = Duration::from_millis(500);
/// Rounds after which everything is told again: 20 s.
const ROUNDS: u32 = 40;
/// What a gateway told is forgotten after this, in milliseconds: it is gone.
const KEEP_MS: i64 = 60_000;
/// Customers that are told of at once.
const PORTION: usize = 128;

/// Counts until the hard stop.
pub fn start(life: &Lifecycle, redis: Redis, census: Census) {
    life.spawn_behind("census", async move {
        let shared = Shared { redis, census, own: Uuid::new_v4().simple().to_string() };
        let mut round = 0;
        loop {
            tokio::time::sleep(EVERY).await;
            round = (round + 1) % ROUNDS;
            let mut told = shared.census.changed();
            if round == 0 {
                told.extend(shared.census.several());
            }
            for portion in told.chunks(PORTION) {
                if let Err(error) = shared.tell(portion).await {
                    // Within a round of everything it is told again.
                    tracing::debug!(%error, "connections cannot be counted now");
                }
            }
        }
    });
}

struct Shared {
    redis: Redis,
    census: Census,
    /// This gateway's field.
    own: String,
}

impl Shared {
    /// All of a portion at once: the connection takes them one behind the other, and waits for none.
    async fn tell(&self, portion: &[(Arc<str>, u32)]) -> Result<(), RedisError> {
        let all = portion.iter().map(|(subject, count)| self.tell_of(subject, *count));
        try_join_all(all).await.map(drop)
    }

    async fn tell_of(&self, subject: &str, count: u32) -> Result<(), RedisError> {
        let (key, now) = (format!("live:subject:{subject}"), clock::now().timestamp_millis());
        let mut both = pipe();
        both.hset(&key, &self.own, format!("{count}@{now}")).ignore();
        both.pexpire(&key, KEEP_MS).ignore().add_command(Cmd::hgetall(&key));
        let (fields,): (Value,) = both.query_async(&mut self.redis.at(&key).await?).await?;
        let fields: HashMap<String, String> = from_redis_value(fields)?;
        let others = fields.iter().filter(|(gateway, _)| **gateway != self.own);
        let others: u32 = others.filter_map(|(_, told)| recent(told, now)).sum();
        self.judge(subject, count, others);
        Ok(())
    }

    /// What is too many goes, as far as it is ours.
    fn judge(&self, subject: &str, own: u32, others: u32) {
        let over = own.saturating_add(others).saturating_sub(self.census.most()).min(own);
        if over > 0 {
            self.census.send_away(subject, usize::try_from(over).unwrap_or(usize::MAX));
        }
    }
}

/// `count@time`, if it is not too old.
fn recent(told: &str, now: i64) -> Option<u32> {
    let (count, at) = told.split_once('@')?;
    (at.parse::<i64>().ok()? > now - KEEP_MS).then(|| count.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_gateway_told_that_is_gone_counts_no_more() {
        assert_eq!(recent("3@100", 100 + KEEP_MS - 1), Some(3));
        assert_eq!(recent("3@100", 100 + KEEP_MS), None);
        assert_eq!(recent("x@100", 100), None);
        assert_eq!(recent("", 100), None);
    }
}
