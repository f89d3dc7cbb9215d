//! Writes to the live bus: one script keeps the state, counts the shard on and publishes.
//!
//! Atomic on purpose: a state that was kept but not published would be a silent loss, and a
//! number that was counted on without its message is what gateways take for a gap.

use crate::redis::{self as link, Redis};
use contract::name::Shard;
use redis::{Cmd, RedisError, Script};
use std::borrow::Cow;
use std::time::Duration;

/// States are dropped 7 days after their last publish or read.
pub const STATE_TTL: Duration = Duration::from_hours(168);

/// KEYS: state, sequence. ARGV: version, data, ttl in ms, pub/sub channel, head of the message, and the
/// command that publishes it. A state that is older than the kept one changes nothing but
/// the number; viewers drop it by its version.
const PUBLISH: &str = r#"
local known = redis.call('HGET', KEYS[1], 'version')
if not known or tonumber(ARGV[1]) > tonumber(known) then
  redis.call('HSET', KEYS[1], 'version', ARGV[1], 'data', ARGV[2])
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local seq = redis.call('INCR', KEYS[2])
redis.call(ARGV[6], ARGV[4], '{"seq":' .. seq .. ',' .. ARGV[5] .. ARGV[2] .. '}')
return seq
"#;

/// Arguments of a call of the script.
const ARGUMENTS: usize = 11;
/// Bytes of those that are not the state, about.
const ROOM: usize = 512;

/// One state to publish.
#[derive(Debug, Clone)]
pub struct LiveState<'a> {
    /// The live channel's name.
    pub channel: String,
    /// Its version.
    pub version: u64,
    /// The state as JSON.
    pub data: Cow<'a, str>,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

/// Publishes states; reconnects by itself.
#[derive(Clone)]
pub struct LivePublisher {
    redis: Redis,
    script: std::sync::Arc<Script>,
}

impl LivePublisher {
    /// A publisher on a connection of its own.
    ///
    /// # Errors
    /// When a URL is no Redis URL.
    pub fn new(urls: &[String]) -> Result<Self, RedisError> {
        Ok(Self { redis: link::connect(urls)?, script: Script::new(PUBLISH).into() })
    }

    /// Publishes all of them, those of one channel in order, in as few turns as there are nodes to
    /// tell. After an error any part may have been published; publishing all again is harmless,
    /// versions tell.
    ///
    /// # Errors
    /// When Redis is away, or a node of it that is needed.
    pub async fn publish(&self, states: &[LiveState<'_>], at_ms: i64) -> Result<(), RedisError> {
        self.publish_each(states, at_ms).await.into_iter().collect()
    }

    /// The same; what became of each. Of a cluster one node may be away, and the others have theirs.
    pub async fn publish_each(
        &self,
        states: &[LiveState<'_>],
        at_ms: i64,
    ) -> Vec<Result<(), RedisError>> {
        let mut told = self.send(states, at_ms).await;
        let unknown: Vec<usize> = (0..told.len()).filter(|n| is_unknown(&told[*n])).collect();
        if !unknown.is_empty() && self.redis.load(&self.script).await.is_ok() {
            let again: Vec<LiveState<'_>> = unknown.iter().map(|n| states[*n].clone()).collect();
            for (place, result) in unknown.into_iter().zip(self.send(&again, at_ms).await) {
                told[place] = result;
            }
        }
        told
    }

    /// Removes what Redis keeps of channels: what is forgotten elsewhere is forgotten here.
    ///
    /// # Errors
    /// When Redis is away.
    pub async fn erase(&self, channels: &[String]) -> Result<(), RedisError> {
        let one = |channel: &String| {
            let shard = Shard::of(channel);
            (shard, Cmd::del(shard.state_key(channel)))
        };
        let answers = self.redis.by_shard(channels.iter().map(one).collect()).await;
        answers.into_iter().try_for_each(|answer| answer.map(drop))
    }

    async fn send(&self, states: &[LiveState<'_>], at_ms: i64) -> Vec<Result<(), RedisError>> {
        let commands = states.iter().map(|state| self.command(state, at_ms)).collect();
        let answers = self.redis.by_shard(commands).await;
        answers.into_iter().map(|answer| answer.map(drop)).collect()
    }

    fn command(&self, state: &LiveState<'_>, at_ms: i64) -> (Shard, Cmd) {
        let shard = Shard::of(&state.channel);
        let channel = serde_json::to_string(&state.channel).unwrap_or_default();
        let trace = state.traceparent.as_ref().and_then(|t| serde_json::to_string(t).ok());
        let trace = trace.map(|t| format!("\"traceparent\":{t},")).unwrap_or_default();
        let version = state.version;
        let head = format!(
            "\"channel\":{channel},\"version\":{version},\"at_ms\":{at_ms},{trace}\"data\":"
        );
        let ttl = u64::try_from(STATE_TTL.as_millis()).unwrap_or(u64::MAX);
        // With room for the state at once, and for what is said beside it.
        let mut command = Cmd::with_capacity(ARGUMENTS, state.data.len() + ROOM);
        command
            .arg("EVALSHA")
            .arg(self.script.get_hash())
            .arg(2)
            .arg(shard.state_key(&state.channel))
            .arg(shard.sequence_key())
            .arg(version)
            .arg(&*state.data)
            .arg(ttl)
            .arg(shard.pubsub())
            .arg(head)
            .arg(self.redis.publish_command());
        (shard, command)
    }
}

/// The server does not know the script: it was started again.
fn is_unknown(told: &Result<(), RedisError>) -> bool {
    told.as_ref().is_err_and(|error| error.code() == Some("NOSCRIPT"))
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
    redis: &Redis,
    channel: &str,
    version: u64,
    data: &str,
) -> Result<(), RedisError> {
    let ttl = u64::try_from(STATE_TTL.as_millis()).unwrap_or(u64::MAX);
    let script = Script::new(KEEP);
    let key = Shard::of(channel).state_key(channel);
    let mut node = redis.at(&key).await?;
    script.key(key).arg(version).arg(data).arg(ttl).invoke_async(&mut node).await
}
