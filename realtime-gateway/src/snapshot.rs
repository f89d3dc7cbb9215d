//! The ladder to a channel's newest state: memory → Redis → the owning service.
//!
//! It protects the database: one flight for all who ask for the same channel, few flights at a
//! time, and what a service told is kept in Redis for the next.

mod doubted;

use crate::hub::Hub;
use crate::metric;
use crate::state::State;
use crate::upstream::Upstream;
use axum::http::Method;
use chrono::TimeDelta;
use contract::feed::{FeedPage, FeedState};
use contract::name::{Channel, Shard};
use doubted::Doubted;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use redis::aio::ConnectionManager;
use serde_json::value::RawValue;
use service_kit::auth::Auth;
use service_kit::backoff;
use service_kit::clock;
use service_kit::live_bus;
use service_kit::token::{SCOPE_INBOX, SCOPE_TIMELINE};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Requests to the services at a time.
const FLIGHTS: usize = 32;

type Answer = Result<Option<State>, Unanswered>;
type Flight = Shared<BoxFuture<'static, Answer>>;

/// No rung of the ladder answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither Redis nor the service answers")]
pub struct Unanswered;

/// The ladder; cheap to clone.
#[derive(Clone)]
pub struct Ladder {
    hub: Hub,
    redis: ConnectionManager,
    aggregator: Upstream,
    notifier: Upstream,
    auth: Arc<Auth>,
    flights: Arc<Mutex<HashMap<String, Flight>>>,
    doubted: Doubted,
    room: Arc<Semaphore>,
}

impl Ladder {
    /// A ladder with its rungs.
    #[must_use]
    pub fn new(
        hub: Hub,
        redis: ConnectionManager,
        services: [Upstream; 2],
        auth: Arc<Auth>,
    ) -> Self {
        let [aggregator, notifier] = services;
        let room = Arc::new(Semaphore::new(FLIGHTS));
        Self {
            hub,
            redis,
            aggregator,
            notifier,
            auth,
            flights: Arc::default(),
            doubted: Doubted::default(),
            room,
        }
    }

    /// The newest state for a viewer that has just subscribed; tries until there is an answer.
    pub async fn climb(&self, channel: &Channel) -> Option<State> {
        if let Some(state) = self.hub.newest(&channel.to_string()) {
            metric::snapshot("memory");
            return Some(state);
        }
        let mut attempt = 0;
        loop {
            if let Ok(state) = self.fetch(channel).await {
                return state;
            }
            let (base, cap) = (Duration::from_millis(100), Duration::from_secs(2));
            tokio::time::sleep(backoff::delay(attempt, base, cap)).await;
            attempt += 1;
        }
    }

    /// The newest state past the memory: Redis, else the service. One flight for everybody.
    ///
    /// # Errors
    /// When no rung answers.
    pub async fn fetch(&self, channel: &Channel) -> Answer {
        let name = channel.to_string();
        let flight = {
            let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
            let (ladder, channel) = (self.clone(), channel.clone());
            let start = || async move { ladder.fly(&channel).await }.boxed().shared();
            flights.entry(name.clone()).or_insert_with(start).clone()
        };
        let answer = flight.clone().await;
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if flights.get(&name).is_some_and(|known| known.ptr_eq(&flight)) {
            flights.remove(&name);
        }
        answer
    }

    /// What Redis keeps of this shard may be old: it was started again, from nothing or from a
    /// dump. Until a service has told a channel's state, Redis is not believed about it.
    pub fn doubt(&self, shard: Shard) {
        self.doubted.add(shard);
    }

    async fn fly(&self, channel: &Channel) -> Answer {
        let name = channel.to_string();
        if self.doubted.doubts(&name) {
            let told = self.ask_service(channel).await;
            if told.is_ok() {
                self.doubted.settle(&name);
                return told;
            }
        }
        match self.read_redis(&name).await {
            Ok(Some(state)) => {
                metric::snapshot("redis");
                Ok(Some(state))
            }
            // Nothing there, or nobody there: the service knows.
            Ok(None) | Err(_) => self.ask_service(channel).await,
        }
    }

    async fn read_redis(&self, name: &str) -> Result<Option<State>, redis::RedisError> {
        let key = Shard::of(name).state_key(name);
        let ttl = i64::try_from(live_bus::STATE_TTL.as_millis()).unwrap_or(i64::MAX);
        let mut pipeline = redis::pipe();
        pipeline.hmget(&key, &["version", "data"]).pexpire(&key, ttl).ignore();
        let ((version, data),): ((Option<u64>, Option<String>),) =
            pipeline.query_async(&mut self.redis.clone()).await?;
        Ok(version.zip(data).and_then(|(version, data)| state(name, version, data)))
    }

    async fn ask_service(&self, channel: &Channel) -> Answer {
        let _room = self.room.acquire().await.map_err(|_| Unanswered)?;
        let told = match channel {
            Channel::Order(order) => {
                let token = self.own_token(order.as_str(), SCOPE_TIMELINE)?;
                let path = format!("/v1/orders/{order}/timeline");
                self.ask(&self.aggregator, &path, &token).await?
            }
            Channel::Inbox(customer) => {
                let token = self.own_token(customer.as_str(), SCOPE_INBOX)?;
                let answer = self.ask(&self.notifier, "/v1/inbox?limit=20", &token).await?;
                answer.and_then(|(version, body)| Some((version, feed(&body)?)))
            }
        };
        metric::snapshot("service");
        let name = channel.to_string();
        let Some(state) = told.and_then(|(version, data)| state(&name, version, data)) else {
            return Ok(None);
        };
        // The next who asks finds it in Redis; when that is away, nothing is lost.
        let kept =
            live_bus::keep(&mut self.redis.clone(), &name, state.version(), state.data().get())
                .await;
        if let Err(error) = kept {
            tracing::debug!(%error, "the state is not kept");
        }
        Ok(Some(state))
    }

    /// Version (`ETag`) and body, or nothing when the service does not know the thing.
    async fn ask(
        &self,
        service: &Upstream,
        path: &str,
        token: &str,
    ) -> Result<Option<(u64, String)>, Unanswered> {
        let response = service
            .send(&Method::GET, path, |r| r.bearer_auth(token))
            .await
            .map_err(|_| Unanswered)?;
        if response.status() == reqwest::StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let tag = response.headers().get("etag").and_then(|tag| tag.to_str().ok());
        let version = tag.and_then(|tag| tag.trim_matches('"').parse().ok());
        let (true, Some(version)) = (response.status().is_success(), version) else {
            return Err(Unanswered);
        };
        Ok(Some((version, response.text().await.map_err(|_| Unanswered)?)))
    }

    /// A token for this one question: services trust tokens, not addresses.
    fn own_token(&self, id: &str, scope: &str) -> Result<String, Unanswered> {
        let end = clock::now() + TimeDelta::seconds(30);
        self.auth
            .tokens
            .mint(id, vec![id.to_owned()], vec![scope.to_owned()], end)
            .map_err(|_| Unanswered)
    }
}

/// A state from its JSON text; version 0 is no state.
fn state(name: &str, version: u64, data: String) -> Option<State> {
    if version == 0 {
        return None;
    }
    RawValue::from_string(data).ok().map(|data| State::new(name, version, data))
}

/// The live state of a feed from its first page.
fn feed(body: &str) -> Option<String> {
    let page: FeedPage = serde_json::from_str(body).ok()?;
    serde_json::to_string(&FeedState { unread: page.unread, items: page.items }).ok()
}
