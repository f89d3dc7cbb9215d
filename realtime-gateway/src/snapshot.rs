//! The ladder to a channel's newest state: memory → Redis → the owning service.
//!
//! It protects the database: one reading for all who ask for the same channel, Redis read in
//! portions, few questions to a service at a time, and what it told kept in Redis for the next.

mod doubted;
mod desk;
mod shelf;
mod owner;

use crate::hub::{Delivery, Hub, Viewer};
use crate::metric;
use crate::state::State;
use crate::upstream::Upstream;
use contract::name::{Channel, Shard};
use desk::{Desk, Reading};
use futures_util::future::join_all;
use owner::Owners;
use serde_json::value::RawValue;
use service_kit::auth::Auth;
use service_kit::backoff;
use service_kit::lifecycle::Lifecycle;
use service_kit::redis::Redis;
use shelf::Shelf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Channels that are read from Redis at once.
const PORTION: usize = 128;

/// How long one who asks once waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// No rung of the ladder answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither Redis nor the service answers")]
pub struct Unanswered;

/// A state, if there is one.
pub type Answer = Result<Option<State>, Unanswered>;

/// The ladder; cheap to clone.
#[derive(Clone)]
pub struct Ladder {
    hub: Hub,
    shelf: Shelf,
    owners: Owners,
    desk: Desk,
    /// Whether the bus is heard, so that what came by here is the newest.
    heard: Arc<AtomicBool>,
}

impl Ladder {
    /// A ladder with its rungs.
    #[must_use]
    pub fn new(hub: Hub, redis: Redis, services: [Upstream; 2], auth: Arc<Auth>) -> Self {
        let (shelf, owners) = (Shelf::new(redis), Owners::new(services, auth));
        Self { hub, shelf, owners, desk: Desk::default(), heard: Arc::default() }
    }

    /// Hands a channel's newest state to a viewer that has just entered it, at once when it came by
    /// here, else as soon as somebody tells it.
    pub fn ask(&self, channel: Channel, viewer: &Viewer) {
        let name = channel.to_string();
        match self.hub.newest(&name) {
            Some(state) => {
                metric::snapshot("memory");
                viewer.snapshot(name, Some(state));
            }
            None => self.desk.ask(channel, viewer),
        }
    }

    /// The newest state, for one who asks once: nothing would mend a state that is old.
    ///
    /// # Errors
    /// When nobody answers in time.
    pub async fn newest(&self, channel: Channel) -> Answer {
        let name = channel.to_string();
        if self.heard.load(Ordering::Acquire)
            && let Some(state) = self.hub.newest(&name)
        {
            metric::snapshot("memory");
            return Ok(Some(state));
        }
        let (asker, mut inbox) = Viewer::new();
        self.desk.ask(channel, &asker);
        match tokio::time::timeout(PATIENCE, inbox.next()).await {
            Ok(Delivery::Snapshot(_, state)) => Ok(state),
            _ => Err(Unanswered),
        }
    }

    /// The bus is heard from now on, or is not.
    pub fn hears(&self, heard: bool) {
        self.heard.store(heard, Ordering::Release);
    }

    /// Answers those who ask, also after the soft stop: viewers stay for a while.
    pub fn start(&self, life: &Lifecycle) {
        let (ladder, own) = (self.clone(), life.clone());
        life.spawn_behind("snapshots", async move {
            loop {
                let readings = ladder.desk.begin(PORTION).await;
                ladder.answer(readings, &own).await;
            }
        });
    }

    /// What Redis keeps of this shard may be old: it was started again, from nothing or from a
    /// dump. Until a service has told a channel's state, Redis is not believed about it.
    pub fn doubt(&self, shard: Shard) {
        self.shelf.doubted.add(shard);
    }

    /// The newest states past the memory, in the order of the channels.
    pub async fn fetch_all(&self, channels: &[Channel]) -> Vec<Answer> {
        let read = self.shelf.trusted(&names(channels)).await;
        let states = read.unwrap_or_else(|_| vec![None; channels.len()]);
        join_all(channels.iter().zip(states).map(async |(channel, state)| match state {
            Some(state) => Ok(Some(state)),
            None => self.fetch(channel).await,
        }))
        .await
    }

    /// Answers what Redis knows; for the rest a service is asked, while others are answered.
    async fn answer(&self, readings: Vec<Reading>, life: &Lifecycle) {
        let states = self.shelf.believed(&names(readings.iter().map(|r| &r.channel))).await;
        for (reading, state) in readings.into_iter().zip(states) {
            if state.is_some() {
                self.hand_over(reading, state.as_ref());
                continue;
            }
            let (ladder, hard) = (self.clone(), life.hard().clone());
            life.spawn_light(async move {
                tokio::select! {
                    () = ladder.climb(reading) => {}
                    () = hard.cancelled() => {}
                }
            });
        }
    }

    /// Asks the service, and Redis again, until one answers or nobody waits any more. Each round begins
    /// anew: who has asked meanwhile is in it.
    async fn climb(&self, mut reading: Reading) {
        let (base, cap) = (Duration::from_millis(100), Duration::from_secs(2));
        let (mut attempt, mut untold) = (0, reading.viewers.clone());
        while !reading.viewers.is_empty() {
            if let Ok(state) = self.round(&reading.channel, attempt).await {
                return self.hand_over(reading, state.as_ref());
            }
            self.tide_over(&reading.channel, &mut untold).await;
            tokio::time::sleep(backoff::delay(attempt, base, cap)).await;
            attempt += 1;
            let joined = self.desk.join(&reading.channel);
            untold.extend(joined.iter().cloned());
            reading.viewers.extend(joined);
            reading.viewers.retain(|viewer| !viewer.is_gone());
            untold.retain(|viewer| !viewer.is_gone());
        }
        self.desk.end(reading.channel);
    }

    /// The first round comes when Redis has been asked just now.
    async fn round(&self, channel: &Channel, attempt: u32) -> Answer {
        if attempt > 0
            && let Some(Some(state)) = self.shelf.believed(&names([channel])).await.pop()
        {
            return Ok(Some(state));
        }
        self.fetch(channel).await
    }

    /// Nobody to ask: what Redis has may be old, and is better than nothing until somebody is.
    async fn tide_over(&self, channel: &Channel, untold: &mut Vec<Viewer>) {
        if untold.is_empty() {
            return;
        }
        let name = channel.to_string();
        let read = self.shelf.read(&[&name]).await.unwrap_or_default();
        if let Some(state) = read.into_iter().next().flatten() {
            for viewer in untold.drain(..) {
                viewer.snapshot(name.clone(), Some(state.clone()));
            }
        }
    }

    fn hand_over(&self, reading: Reading, state: Option<&State>) {
        let name = reading.channel.to_string();
        for viewer in &reading.viewers {
            viewer.snapshot(name.clone(), state.cloned());
        }
        self.desk.end(reading.channel);
    }

    /// The newest state of a channel that Redis could not tell: from its service.
    async fn fetch(&self, channel: &Channel) -> Answer {
        let told = self.owners.ask(channel).await?;
        match &told {
            Some(state) => self.shelf.keep(state).await,
            // There is nothing yet that could be old.
            None => self.shelf.doubted.settle(&channel.to_string()),
        }
        Ok(told)
    }
}

fn names<'a>(channels: impl IntoIterator<Item = &'a Channel>) -> Vec<String> {
    channels.into_iter().map(ToString::to_string).collect()
}

/// A state from its JSON text; version 0 is no state.
fn state(name: &str, version: u64, data: String) -> Option<State> {
    if version == 0 {
        return None;
    }
    RawValue::from_string(data).ok().map(|data| State::new(name, version, data))
}
