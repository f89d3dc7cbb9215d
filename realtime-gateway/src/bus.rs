//! Reads all 64 shards of the live bus and notices what got lost.
//!
//! Pub/sub may drop anything. Three guards: a gap in a shard's numbers; every reconnection; and
//! the probe, which reads all numbers every 2 s and so sees a lost last message, a subscription
//! that is silently dead, and a Redis that was started empty.

mod pace;
mod position;

use crate::hub::Hub;
use crate::metric;
use crate::repair::Dirty;
use crate::snapshot::Ladder;
use crate::state::State;
use contract::message::{Head, Publication};
use contract::name::Shard;
use pace::Pace;
use position::Positions;
use redis::{Cmd, RedisError, from_redis_value};
use service_kit::backoff;
use service_kit::clock;
use service_kit::health::Health;
use service_kit::lifecycle::Lifecycle;
use service_kit::redis::{Heard, Redis, Subscription};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// How often the numbers are read.
pub const PROBE: Duration = Duration::from_secs(2);

/// What both loops share.
#[derive(Clone)]
pub struct Bus {
    urls: Arc<[String]>,
    commands: Redis,
    positions: Arc<Positions>,
    reconnect: Arc<Notify>,
    subscribed: Arc<AtomicBool>,
    /// The server's name for its own life.
    life: Arc<Mutex<Option<String>>>,
    hub: Hub,
    ladder: Ladder,
    dirty: Dirty,
    health: Health,
}

impl Bus {
    /// A bus that has not been connected yet.
    #[must_use]
    pub fn new(
        urls: Vec<String>,
        commands: Redis,
        watched: (Hub, Ladder, Dirty),
        health: Health,
    ) -> Self {
        let (hub, ladder, dirty) = watched;
        let (positions, reconnect, subscribed) = (Arc::default(), Arc::default(), Arc::default());
        let life = Arc::default();
        Self {
            urls: urls.into(),
            commands,
            positions,
            reconnect,
            subscribed,
            life,
            hub,
            ladder,
            dirty,
            health,
        }
    }

    /// Reads and probes, also after the soft stop: viewers stay for a while.
    pub fn start(self, life: &Lifecycle) {
        self.health.bad("bus", "not subscribed yet");
        let (reader, prober) = (self.clone(), self);
        life.spawn_behind("bus", async move { reader.read().await });
        life.spawn_behind("probe", async move { prober.probe().await });
    }

    async fn read(&self) {
        let mut attempt = 0;
        loop {
            let result = tokio::select! {
                result = self.subscription(&mut attempt) => result,
                () = self.reconnect.notified() => Ok(()),
            };
            self.hears(false);
            self.health.bad("bus", "not subscribed");
            if let Err(error) = result {
                tracing::warn!(%error, "the live bus is away; subscribing again");
            }
            tokio::time::sleep(backoff::delay(
                attempt,
                Duration::from_millis(50),
                Duration::from_secs(1),
            ))
            .await;
            attempt += 1;
        }
    }

    fn hears(&self, subscribed: bool) {
        self.subscribed.store(subscribed, Ordering::Release);
        self.ladder.hears(subscribed);
    }

    /// One subscription, until it ends. Whatever happened before it is read again.
    async fn subscription(&self, attempt: &mut u32) -> Result<(), RedisError> {
        let mut subscription = Subscription::open(&self.urls).await?;
        if self.is_another().await? {
            Shard::all().for_each(|shard| self.ladder.doubt(shard));
        }
        for shard in self.positions.start(&self.sequences().await?) {
            self.ladder.doubt(shard);
        }
        Shard::all().for_each(|shard| self.dirty.add(shard, "subscription"));
        self.hears(true);
        self.health.good("bus");
        *attempt = 0;
        let mut pace = Pace::default();
        loop {
            match subscription.next().await? {
                Heard::Said { channel, payload } => pace.heard(self.take(channel, payload)),
                // Its node was away, and may be another now that knows less: numbers that have been
                // overtaken meanwhile do not show it.
                Heard::Renewed(shard) => {
                    self.ladder.doubt(shard);
                    self.dirty.add(shard, "subscription");
                }
            }
            // What lies in the buffer is taken without waiting: viewers have their turn meanwhile.
            tokio::task::consume_budget().await;
            if pace.is_slow() {
                subscription.rest(pace::PAUSE).await?;
            }
        }
    }

    /// Never blocks: the reader of the bus must not fall behind because of a viewer. Tells whether
    /// somebody here watches what was said.
    fn take(&self, name: &str, payload: &[u8]) -> bool {
        let Some(shard) = Shard::from_pubsub(name) else {
            return false;
        };
        let head = Head::read(payload).filter(|head| !self.hub.watches(shard, head.channel));
        if let Some(head) = head {
            self.heard(shard, head.seq, head.at_ms);
            return false;
        }
        let Ok(publication) = serde_json::from_slice::<Publication<'_>>(payload) else {
            metric::refused("broken_publication");
            self.dirty.add(shard, "broken");
            return true;
        };
        self.heard(shard, publication.seq, publication.at_ms);
        let (channel, version) = (publication.channel, publication.version);
        self.hub.publish_newer(shard, channel, version, || {
            State::new(channel, version, publication.data.to_owned())
                .published(publication.at_ms, publication.traceparent)
        });
        true
    }

    fn heard(&self, shard: Shard, seq: u64, at_ms: i64) {
        if self.positions.advance(shard, seq) {
            self.dirty.add(shard, "sequence");
        }
        let age = clock::now().timestamp_millis() - at_ms;
        metric::received(Duration::from_millis(u64::try_from(age).unwrap_or(0)));
    }

    /// Was the server started anew since the last subscription, or is another in its place? Then it may
    /// lack what was written last, and numbers that have been overtaken meanwhile do not show it. (Of a
    /// cluster the subscription tells which nodes came back.)
    async fn is_another(&self) -> Result<bool, RedisError> {
        if self.urls.len() > 1 {
            return Ok(false);
        }
        let mut info = redis::cmd("INFO");
        info.arg("server");
        let key = Shard::of("").sequence_key();
        let told = info.query_async::<String>(&mut self.commands.at(&key).await?).await;
        let told = match told {
            // A server may keep this from us; then nothing is known.
            Err(error) if error.code().is_some() => return Ok(false),
            told => told?,
        };
        let run = told.lines().find_map(|line| line.strip_prefix("run_id:")).map(str::to_owned);
        let mut known = self.life.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *known, run.clone());
        Ok(before.is_some() && before != run)
    }

    async fn probe(&self) {
        let mut deaf = 0;
        loop {
            tokio::time::sleep(PROBE).await;
            let Ok(sequences) = self.sequences().await else {
                self.health.bad("redis", "does not answer");
                self.ladder.hears(false);
                continue;
            };
            self.health.good("redis");
            metric::probed(clock::now());
            let gaps = self.positions.probe(&sequences);
            for (shard, went_back) in &gaps {
                if *went_back {
                    self.ladder.doubt(*shard);
                }
                self.dirty.add(*shard, "probe");
            }
            self.ladder.hears(gaps.is_empty() && self.subscribed.load(Ordering::Acquire));
            deaf = if gaps.is_empty() { 0 } else { deaf + 1 };
            // Numbers move and nothing arrives, twice, anywhere or in one shard: the subscription is
            // dead though it looks alive.
            if deaf >= 2 || self.positions.has_deaf() {
                deaf = 0;
                self.reconnect.notify_one();
            }
        }
    }

    /// The number of every shard, 0 for one that nobody has published on; none of one whose node is away.
    async fn sequences(&self) -> Result<Vec<Option<u64>>, RedisError> {
        let commands = Shard::all().map(|shard| (shard, Cmd::get(shard.sequence_key())));
        let answers = self.commands.by_shard(commands.collect()).await;
        if answers.iter().all(Result::is_err) {
            return answers.into_iter().map(|answer| answer.map(|_| None)).collect();
        }
        let number =
            |answer| from_redis_value::<Option<u64>>(answer).ok().map(Option::unwrap_or_default);
        Ok(answers.into_iter().map(|answer| number(answer.ok()?)).collect())
    }
}
