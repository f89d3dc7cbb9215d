//! What Redis keeps of the channels' states, as far as it may be believed.

use super::doubted::Doubted;
use super::state;
use crate::metric;
use crate::state::State;
use contract::name::Shard;
use redis::{Cmd, RedisError, Value, from_redis_value};
use service_kit::live_bus;
use service_kit::redis::Redis;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Version and data; none of a channel that is not there.
type Row = (Option<u64>, Option<String>);

/// How long a viewer's state is waited for; then its service is asked.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long Redis is left alone after that.
const AWAY: Duration = Duration::from_secs(2);

/// The shelf; cheap to clone.
#[derive(Clone)]
pub(super) struct Shelf {
    redis: Redis,
    pub(super) doubted: Doubted,
    away_until: Arc<Mutex<Option<Instant>>>,
}

impl Shelf {
    pub(super) fn new(redis: Redis) -> Self {
        Self { redis, doubted: Doubted::default(), away_until: Arc::default() }
    }

    /// The states that are there and may be believed, in the order of the names; none at all when
    /// Redis does not answer soon. Then it is left alone for a moment: those who wait are many, and
    /// the services know too.
    pub(super) async fn believed(&self, names: &[String]) -> Vec<Option<State>> {
        if !self.is_away() {
            if let Ok(Ok(states)) = tokio::time::timeout(PATIENCE, self.trusted(names)).await {
                return states;
            }
            self.leave_alone();
        }
        vec![None; names.len()]
    }

    /// The same for those who can wait until Redis answers or is known to be away.
    pub(super) async fn trusted(&self, names: &[String]) -> Result<Vec<Option<State>>, RedisError> {
        let believed: Vec<bool> = names.iter().map(|name| !self.doubted.doubts(name)).collect();
        let asked = names.iter().zip(&believed).filter(|(_, believed)| **believed);
        let asked: Vec<&str> = asked.map(|(name, _)| name.as_str()).collect();
        let mut told = self.read(&asked).await?.into_iter();
        let one = |believed: bool| if believed { told.next().flatten() } else { None };
        Ok(believed.into_iter().map(one).collect())
    }

    fn leave_alone(&self) {
        let until = Some(Instant::now() + AWAY);
        *self.away_until.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    fn is_away(&self) -> bool {
        let until = *self.away_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    /// The states, in one go; each lives on from now.
    pub(super) async fn read(&self, names: &[&str]) -> Result<Vec<Option<State>>, RedisError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let ttl = i64::try_from(live_bus::STATE_TTL.as_millis()).unwrap_or(i64::MAX);
        let both = |name: &&str| {
            let shard = Shard::of(name);
            let key = shard.state_key(name);
            [(shard, Cmd::hmget(&key, &["version", "data"])), (shard, Cmd::pexpire(&key, ttl))]
        };
        let answers = self.redis.by_shard(names.iter().flat_map(both).collect()).await;
        let row = |answer: Result<Value, RedisError>| Ok(from_redis_value::<Row>(answer?)?);
        let rows: Vec<Result<Row, RedisError>> = answers.into_iter().step_by(2).map(row).collect();
        if rows.iter().all(Result::is_err) {
            return rows.into_iter().map(|row| row.map(|_| None)).collect();
        }
        // Of a cluster one node may be away: the services know what it has.
        let one = |(name, row): (&&str, Result<Row, RedisError>)| {
            let (version, data) = row.ok()?;
            let state = state(name, version?, data?);
            state.inspect(|_| metric::snapshot("redis"))
        };
        Ok(names.iter().zip(rows).map(one).collect())
    }

    /// Keeps what a service told: the next who asks finds it here. Only then Redis is believed about
    /// the channel again. While Redis is away nobody waits for that.
    pub(super) async fn keep(&self, state: &State) {
        if self.is_away() {
            return;
        }
        let (name, version, data) = (state.channel(), state.version(), state.data().get());
        let kept = live_bus::keep(&self.redis, name, version, data);
        match tokio::time::timeout(PATIENCE, kept).await {
            Ok(Ok(())) => self.doubted.settle(name),
            Ok(Err(error)) => tracing::debug!(%error, "the state is not kept"),
            Err(_) => {
                self.leave_alone();
                tracing::debug!("the state is not kept in time");
            }
        }
    }
}
