//! The deny list of all gateways: a sorted set in Redis, by the time of each word.
//!
//! It is read again twice a second instead of being published: what is only published can be lost,
//! and this must not be. Every few seconds, and after every failure, all of it is compared: what a
//! Redis that was started again has forgotten, or knows of an older time only, is written back.

use super::list::{Denied, Right};
use redis::{Pipeline, RedisError};
use service_kit::clock;
use service_kit::health::Health;
use service_kit::lifecycle::Lifecycle;
use service_kit::redis::Redis;
use service_kit::token::LONGEST_LIFE;
use std::collections::HashMap;
use std::time::Duration;

/// The sorted set: rights, by the Unix milliseconds at which they were taken away.
const KEY: &str = "revoked";
/// How often the list is read: with a session's second, a right is gone within 2 s.
const EVERY: Duration = Duration::from_millis(500);
/// How much earlier than the newest word another gateway's clock may have dated one.
const SKEW_MS: i64 = 60_000;
/// Rounds from one comparison of everything to the next: 10 s.
const ROUNDS: u32 = 20;
/// Words that are written back at once.
const PORTION: usize = 1_000;
/// How long a word is kept: a day longer than the longest life of a token of ours (a letter's link).
/// One that a shop signs to live longer is good again after that.
const KEEP_MS: i64 = (LONGEST_LIFE.num_days() + 1) * 24 * 3_600_000;

/// Takes a right away, on every gateway; here at once.
///
/// # Errors
/// When Redis does not answer: then the others do not know.
pub async fn revoke(redis: &Redis, denied: &Denied, right: Right) -> Result<(), RedisError> {
    let at = clock::now().timestamp_millis();
    denied.add(right.clone(), at);
    let mut pipeline = redis::pipe();
    add(&mut pipeline, &right, at);
    pipeline.exec_async(&mut redis.at(KEY).await?).await
}

fn add(pipeline: &mut Pipeline, right: &Right, at: i64) {
    // GT: an older word never takes a newer one's place.
    pipeline.cmd("ZADD").arg(KEY).arg("GT").arg(at).arg(right.name()).ignore();
}

/// Keeps the list up to date, also after the soft stop: viewers stay for a while.
/// `changed` is called when something was taken away. The gateway is not ready before the first
/// reading: a right that was taken away must not come back with a restart.
pub fn start(
    life: &Lifecycle,
    redis: Redis,
    denied: Denied,
    health: Health,
    changed: impl Fn() + Send + Sync + 'static,
) {
    health.bad("revocations", "not read yet");
    life.spawn_behind("revocations", async move {
        let mut reader = Reader { redis, denied, newest: i64::MIN, rounds: 0, foreign: 0 };
        let mut known = 0;
        loop {
            match reader.round().await {
                Ok(()) => health.good("revocations"),
                Err(error) => tracing::warn!(%error, "revocations cannot be read"),
            }
            let changes = reader.denied.changes();
            if std::mem::replace(&mut known, changes) != changes {
                changed();
            }
            tokio::time::sleep(EVERY).await;
        }
    });
}

struct Reader {
    redis: Redis,
    denied: Denied,
    /// Time of the newest word that was seen.
    newest: i64,
    /// Rounds until everything is compared.
    rounds: u32,
    /// Words in Redis that this program does not understand.
    foreign: usize,
}

impl Reader {
    async fn round(&mut self) -> Result<(), RedisError> {
        let whole = self.rounds == 0;
        let left = self.rounds.checked_sub(1).unwrap_or(ROUNDS);
        // After a failure, or where the numbers differ, the next round compares everything.
        self.rounds = 0;
        let alike = if whole { self.compare().await? } else { self.look().await? };
        self.rounds = if alike { left } else { 0 };
        Ok(())
    }

    /// Takes up what is new; whether Redis then knows as many as we.
    async fn look(&mut self) -> Result<bool, RedisError> {
        let now = clock::now().timestamp_millis();
        let (count, words) = self.read(self.newest.min(now).saturating_sub(SKEW_MS)).await?;
        self.take_up(&words);
        Ok(self.denied.len() + self.foreign == count)
    }

    /// Takes up everything, and tells what Redis knows less of.
    async fn compare(&mut self) -> Result<bool, RedisError> {
        let (count, words) = self.read(i64::MIN).await?;
        self.foreign = count - words.len();
        self.take_up(&words);
        self.denied.forget(oldest());
        let known: HashMap<Right, i64> = words.into_iter().collect();
        let less = |(right, at): &(Right, i64)| known.get(right).is_none_or(|told| told < at);
        let own: Vec<(Right, i64)> = self.denied.all().into_iter().filter(less).collect();
        self.tell(&own).await?;
        self.denied.was_read();
        Ok(true)
    }

    /// How many words there are, and those since a time.
    async fn read(&self, since: i64) -> Result<(usize, Vec<(Right, i64)>), RedisError> {
        let mut pipeline = redis::pipe();
        pipeline.atomic().cmd("ZREMRANGEBYSCORE").arg(KEY).arg("-inf").arg(oldest() - 1).ignore();
        pipeline.zcard(KEY).zrangebyscore_withscores(KEY, since.max(oldest()), "+inf");
        let (count, words): (usize, Vec<(String, i64)>) =
            pipeline.query_async(&mut self.redis.at(KEY).await?).await?;
        let one = |(name, at): (String, i64)| Some((Right::from_name(&name)?, at));
        Ok((count, words.into_iter().filter_map(one).collect()))
    }

    fn take_up(&mut self, words: &[(Right, i64)]) {
        for (right, at) in words {
            self.newest = self.newest.max(*at);
            self.denied.add(right.clone(), *at);
        }
    }

    /// Writes back what Redis has forgotten.
    async fn tell(&self, own: &[(Right, i64)]) -> Result<(), RedisError> {
        if !own.is_empty() {
            tracing::warn!(rights = own.len(), "Redis has forgotten revocations; writing back");
        }
        for portion in own.chunks(PORTION) {
            let mut pipeline = redis::pipe();
            for (right, at) in portion {
                add(&mut pipeline, right, *at);
            }
            pipeline.exec_async(&mut self.redis.at(KEY).await?).await?;
        }
        Ok(())
    }
}

/// Time of the oldest word that is kept.
fn oldest() -> i64 {
    clock::now().timestamp_millis() - KEEP_MS
}
