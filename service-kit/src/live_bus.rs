//! Writes to the live bus: one script keeps the state, counts the shard on and publishes.
//!
//! Atomic on purpose: a state that was kept but not published would be a silent loss, and a
//! number that was counted on without its message is what gateways take for a gap.

use contract::name::Shard;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Pipeline, RedisError, Script};
use std::time::Duration;

/// States are dropped 7 days after their last publish or read.
pub const STATE_TTL: Duration = Duration::from_hours(168);

/// KEYS: state, sequence. ARGV: version, data, ttl in ms, pub/sub channel, head and tail of the
/// message (all but its number). A state that is older than the kept one changes nothing but
/// the number; viewers drop it by its version.
const PUBLISH: &str = r#"
local known = redis.call('HGET', KEYS[1], 'version')
if not known or tonumber(ARGV[1]) > tonumber(known) then
  redis.call('HSET', KEYS[1], 'version', ARGV[1], 'data', ARGV[2])
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local seq = redis.call('INCR', KEYS[2])
redis.call('PUBLISH', ARGV[4], '{"seq":' .. seq .. ',' .. ARGV[5] .. ARGV[2] .. '}')
return seq
"#;

/// One state to publish.
#[derive(Debug, Clone)]
pub struct LiveState {
    /// The live channel's name.
    pub channel: String,
    /// Its version.
    pub version: u64,
    /// The state as JSON.
    pub data: String,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

/// Publishes states; reconnects by itself.
#[derive(Clone)]
pub struct LivePublisher {
    connection: ConnectionManager,
    script: std::sync::Arc<Script>,
}

/// A connection for commands that reconnects by itself; every answer is waited for at most 2 s.
///
/// # Errors
/// When the URL is no Redis URL.
pub fn connect(url: &str) -> Result<ConnectionManager, RedisError> {
    let config = ConnectionManagerConfig::new()
        .set_response_timeout(Some(Duration::from_secs(2)))
        .set_connection_timeout(Some(Duration::from_secs(2)))
        .set_max_delay(Duration::from_millis(500));
    ConnectionManager::new_lazy_with_config(Client::open(url)?, config)
}

impl LivePublisher {
    /// A publisher on a connection of its own.
    ///
    /// # Errors
    /// When the URL is no Redis URL.
    pub fn new(url: &str) -> Result<Self, RedisError> {
        Ok(Self { connection: connect(url)?, script: Script::new(PUBLISH).into() })
    }

    /// Publishes all of them, in order, in one pipeline. After an error any part may have been
    /// published; publishing all again is harmless, versions tell.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn publish(&self, states: &[LiveState], at_ms: i64) -> Result<(), RedisError> {
        let mut pipeline = redis::pipe();
        for state in states {
            self.add(&mut pipeline, state, at_ms);
        }
        let mut connection = self.connection.clone();
        match pipeline.query_async::<()>(&mut connection).await {
            Err(error) if error.code() == Some("NOSCRIPT") => {
                self.script.prepare_invoke().load_async(&mut connection).await?;
                pipeline.query_async(&mut connection).await
            }
            other => other,
        }
    }

    fn add(&self, pipeline: &mut Pipeline, state: &LiveState, at_ms: i64) {
        let shard = Shard::of(&state.channel);
        let channel = serde_json::to_string(&state.channel).unwrap_or_default();
        let trace = state.traceparent.as_ref().and_then(|t| serde_json::to_string(t).ok());
        let trace = trace.map(|t| format!("\"traceparent\":{t},")).unwrap_or_default();
        let version = state.version;
        let head = format!(
            "\"channel\":{channel},\"version\":{version},\"at_ms\":{at_ms},{trace}\"data\":"
        );
        let ttl = u64::try_from(STATE_TTL.as_millis()).unwrap_or(u64::MAX);
        pipeline
            .cmd("EVALSHA")
            .arg(self.script.get_hash())
            .arg(2)
            .arg(shard.state_key(&state.channel))
            .arg(shard.sequence_key())
            .arg(version)
            .arg(&state.data)
            .arg(ttl)
            .arg(shard.pubsub())
            .arg(head)
            .ignore();
    }
}

/// KEYS: state. ARGV: version, data, ttl in ms. Keeps a state that is newer than the kept one.
const KEEP: &str = r"
local known = redis.call('HGET', KEYS[1], 'version')
if not known or tonumber(ARGV[1]) > tonumber(known) then
  redis.call('HSET', KEYS[1], 'version', ARGV[1], 'data', ARGV[2])
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
";

/// Keeps a state that a service told, without publishing it: so Redis fills again after a loss.
///
/// # Errors
/// When Redis is away.
pub async fn keep(
    connection: &mut ConnectionManager,
    channel: &str,
    version: u64,
    data: &str,
) -> Result<(), RedisError> {
    let ttl = u64::try_from(STATE_TTL.as_millis()).unwrap_or(u64::MAX);
    let script = Script::new(KEEP);
    let mut call = script.key(Shard::of(channel).state_key(channel));
    call.arg(version).arg(data).arg(ttl).invoke_async(connection).await
}
