//! What Redis keeps of the channels' states, as far as it may be believed.

use super::doubted::Doubted;
use super::state;
use crate::metric;
use crate::state::State;
use contract::name::Shard;
use redis::RedisError;
use redis::aio::ConnectionManager;
use service_kit::live_bus;

/// Version and data; none of a channel that is not there.
type Row = (Option<u64>, Option<String>);

/// The shelf; cheap to clone.
#[derive(Clone)]
pub(super) struct Shelf {
    redis: ConnectionManager,
    pub(super) doubted: Doubted,
}

impl Shelf {
    pub(super) fn new(redis: ConnectionManager) -> Self {
        Self { redis, doubted: Doubted::default() }
    }

    /// The states that are there and may be believed, in the order of the names; none at all when
    /// Redis does not answer.
    pub(super) async fn believed(&self, names: &[String]) -> Vec<Option<State>> {
        let believed: Vec<bool> = names.iter().map(|name| !self.doubted.doubts(name)).collect();
        let asked = names.iter().zip(&believed).filter(|(_, believed)| **believed);
        let asked: Vec<&str> = asked.map(|(name, _)| name.as_str()).collect();
        let mut told = self.read(&asked).await.unwrap_or_default().into_iter();
        let one = |believed: bool| if believed { told.next().flatten() } else { None };
        believed.into_iter().map(one).collect()
    }

    /// The states, in one go; each lives on from now.
    pub(super) async fn read(&self, names: &[&str]) -> Result<Vec<Option<State>>, RedisError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let ttl = i64::try_from(live_bus::STATE_TTL.as_millis()).unwrap_or(i64::MAX);
        let mut pipeline = redis::pipe();
        for name in names {
            let key = Shard::of(name).state_key(name);
            pipeline.hmget(&key, &["version", "data"]).pexpire(&key, ttl).ignore();
        }
        let rows: Vec<Row> = pipeline.query_async(&mut self.redis.clone()).await?;
        let one = |(name, (version, data)): (&&str, Row)| {
            let state = version.zip(data).and_then(|(version, data)| state(name, version, data));
            state.inspect(|_| metric::snapshot("redis"))
        };
        Ok(names.iter().zip(rows).map(one).collect())
    }

    /// Keeps what a service told: the next who asks finds it here. When Redis is away, nothing is
    /// lost.
    pub(super) async fn keep(&self, state: &State) {
        let (name, version, data) = (state.channel(), state.version(), state.data().get());
        if let Err(error) = live_bus::keep(&mut self.redis.clone(), name, version, data).await {
            tracing::debug!(%error, "the state is not kept");
        }
    }
}
