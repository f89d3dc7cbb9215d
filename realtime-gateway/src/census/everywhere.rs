//! Who watches a channel, on all gateways: for an operator who asks. A question is written to a stream in
//! Redis that every gateway looks at twice a second; each writes what it knows to a list for the one who
//! asked. Nobody keeps a list of who watches what for the few moments in which somebody wants to see it.

use super::register::{Census, Person};
use crate::hub::Hub;
use chrono::{DateTime, Utc};
use redis::{AsyncCommands, RedisError, cmd, pipe};
use serde::{Deserialize, Serialize};
use service_kit::clock;
use service_kit::lifecycle::Lifecycle;
use service_kit::redis::Redis;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use utoipa::ToSchema;
use uuid::Uuid;

/// The questions.
const ASKED: &str = "live:asked";
/// When each gateway was there last.
const GATEWAYS: &str = "live:gateways";
/// How often a gateway looks whether somebody asks, and says that it is there.
const LOOK: Duration = Duration::from_millis(500);
/// Who was not there for so long is gone, in milliseconds.
const GONE_MS: i64 = 5_000;
/// How long the others' answers are waited for.
const PATIENCE: Duration = Duration::from_secs(2);
/// And how often it is looked whether they are there.
const STEP: Duration = Duration::from_millis(50);
/// Answers are kept for so long, in milliseconds.
const KEEP_MS: i64 = 10_000;

/// An entry of the stream: its number, and what it says.
type Question = (String, HashMap<String, String>);

/// One who watches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Watcher {
    /// Name of the connection.
    #[schema(example = "01a20664632373eda168a459da0f56ee")]
    pub connection: String,
    /// The customer, or `guest:<random>`.
    #[schema(example = "C-77")]
    pub subject: String,
    /// `websocket` or `sse`.
    #[schema(example = "websocket")]
    pub transport: String,
    /// Since when.
    #[schema(example = "2026-11-20T09:40:06Z")]
    pub since: DateTime<Utc>,
}

impl From<Person> for Watcher {
    fn from(person: Person) -> Self {
        Self {
            connection: person.connection.to_string(),
            subject: person.subject.to_string(),
            transport: person.transport.to_owned(),
            since: person.since,
        }
    }
}

/// Those who watch, and how many gateways did not say whether they have any.
#[derive(Debug, Serialize, ToSchema)]
pub struct Watching {
    /// The longest first.
    viewers: Vec<Watcher>,
    /// Gateways that were there a moment ago and did not answer in time: what they have is missing here.
    /// None when they could not be asked at all.
    #[schema(example = 0)]
    missing: Option<usize>,
}

/// The way to the others; cheap to clone.
#[derive(Clone)]
pub struct Everywhere {
    redis: Redis,
    census: Census,
    hub: Hub,
    /// This gateway's name.
    own: Arc<str>,
}

impl Everywhere {
    /// A gateway that nobody knows yet.
    #[must_use]
    pub fn new(redis: Redis, census: Census, hub: Hub) -> Self {
        Self { redis, census, hub, own: Uuid::new_v4().simple().to_string().into() }
    }

    /// Answers those who ask, until the hard stop.
    pub fn start(&self, life: &Lifecycle) {
        let here = self.clone();
        life.spawn_behind("watching", async move {
            let mut after = None;
            loop {
                if let Err(error) = here.look(&mut after).await {
                    tracing::debug!(%error, "who asks cannot be seen now");
                }
                sleep(LOOK).await;
            }
        });
    }

    /// Who watches a channel.
    pub async fn watching(&self, channel: &str) -> Watching {
        let mut viewers = self.here(channel);
        let (others, missing) = match self.ask(channel).await {
            Ok((others, missing)) => (others, Some(missing)),
            Err(error) => {
                tracing::warn!(%error, "the other gateways cannot be asked");
                (Vec::new(), None)
            }
        };
        viewers.extend(others);
        viewers.sort_by_key(|watcher| watcher.since);
        Watching { viewers, missing }
    }

    fn here(&self, channel: &str) -> Vec<Watcher> {
        let people = self.census.people(&self.hub.watching(channel));
        people.into_iter().map(Watcher::from).collect()
    }

    /// What the others know, and how many of them did not say.
    async fn ask(&self, channel: &str) -> Result<(Vec<Watcher>, usize), RedisError> {
        let others = self.others().await?;
        if others == 0 {
            return Ok((Vec::new(), 0));
        }
        let answers = format!("live:answer:{}", Uuid::new_v4().simple());
        let mut ask = cmd("XADD");
        ask.arg(ASKED).arg("MAXLEN").arg("~").arg(100).arg("*");
        ask.arg("channel").arg(channel).arg("answers").arg(&answers).arg("by").arg(&*self.own);
        let () = ask.query_async(&mut self.redis.at(ASKED).await?).await?;
        let end = Instant::now() + PATIENCE;
        loop {
            sleep(STEP).await;
            let told: Vec<String> = self.redis.at(&answers).await?.lrange(&answers, 0, -1).await?;
            if told.len() >= others || Instant::now() >= end {
                let missing = others.saturating_sub(told.len());
                let read = told.iter().filter_map(|t| serde_json::from_str::<Vec<Watcher>>(t).ok());
                return Ok((read.flatten().collect(), missing));
            }
        }
    }

    /// How many other gateways were there a moment ago.
    async fn others(&self) -> Result<usize, RedisError> {
        let since = clock::now().timestamp_millis() - GONE_MS;
        let there: Vec<String> =
            self.redis.at(GATEWAYS).await?.zrangebyscore(GATEWAYS, since, "+inf").await?;
        Ok(there.iter().filter(|name| **name != *self.own).count())
    }

    /// Says that this gateway is there, and answers what was asked after the last look.
    async fn look(&self, after: &mut Option<String>) -> Result<(), RedisError> {
        let now = clock::now().timestamp_millis();
        let mut there = pipe();
        there.zadd(GATEWAYS, &*self.own, now).ignore();
        there.zrembyscore(GATEWAYS, "-inf", now - 4 * GONE_MS).ignore();
        there.pexpire(GATEWAYS, 4 * GONE_MS).ignore();
        let () = there.query_async(&mut self.redis.at(GATEWAYS).await?).await?;
        let Some(from) = after.clone() else {
            *after = Some(self.newest().await?);
            return Ok(());
        };
        let mut read = cmd("XREAD");
        read.arg("COUNT").arg(64).arg("STREAMS").arg(ASKED).arg(from);
        let read: Option<Vec<(String, Vec<Question>)>> =
            read.query_async(&mut self.redis.at(ASKED).await?).await?;
        for (id, said) in read.into_iter().flatten().flat_map(|(_, questions)| questions) {
            let said = |name: &str| said.get(name).map(String::as_str).unwrap_or_default();
            if said("by") != &*self.own {
                self.answer(said("channel"), said("answers")).await?;
            }
            *after = Some(id);
        }
        Ok(())
    }

    /// Where the stream ends now: what was asked before nobody waits for.
    async fn newest(&self) -> Result<String, RedisError> {
        let mut last = cmd("XREVRANGE");
        last.arg(ASKED).arg("+").arg("-").arg("COUNT").arg(1);
        let entries: Vec<(String, Vec<String>)> =
            last.query_async(&mut self.redis.at(ASKED).await?).await?;
        Ok(entries.into_iter().next().map_or_else(|| "0-0".to_owned(), |(id, _)| id))
    }

    async fn answer(&self, channel: &str, answers: &str) -> Result<(), RedisError> {
        let here = serde_json::to_string(&self.here(channel)).unwrap_or_default();
        let mut told = pipe();
        told.rpush(answers, here).ignore().pexpire(answers, KEEP_MS).ignore();
        told.query_async(&mut self.redis.at(answers).await?).await
    }
}
