//! Sends what is due: claim, write, send, record.

use crate::channel::email::{Envelope, Mailer, Sender};
use crate::letter::Letters;
use crate::metric;
use crate::outcome::{Decision, Outcome, decide};
use crate::store::delivery::{self, Attempt, Claimed, Next};
use chrono::{DateTime, TimeDelta, Utc};
use contract::words::Language;
use futures_util::StreamExt;
use futures_util::stream;
use service_kit::auth::Auth;
use service_kit::clock;
use service_kit::health::Health;
use service_kit::lifecycle::Lifecycle;
use service_kit::token::{LONGEST_LIFE, SCOPE_TIMELINE};
use sqlx::PgPool;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use uuid::Uuid;

/// How long the link of a letter opens its order.
const LINK: TimeDelta = LONGEST_LIFE;

/// The sender of everything that leaves the house.
pub struct Dispatch {
    /// The database.
    pub pool: PgPool,
    /// Writes letters.
    pub letters: Letters,
    /// Sends letters.
    pub mailer: Mailer,
    /// Who writes.
    pub sender: Sender,
    /// Signs the links.
    pub auth: Arc<Auth>,
    /// Page of an order, with `{order}`.
    pub page: String,
    /// How long a claim holds: more than twice what a provider may take.
    pub lease: Duration,
    /// Attempts at a time.
    pub concurrency: usize,
    /// Wakes it.
    pub planned: Arc<Notify>,
    /// What it says of itself.
    pub health: Health,
}

impl Dispatch {
    /// Sends until the soft stop; what was claimed by then is finished.
    pub fn start(self, life: &Lifecycle) {
        let soft = life.soft().clone();
        life.spawn("dispatch", async move {
            while !soft.is_cancelled() {
                let sent = match self.portion().await {
                    Ok(sent) => {
                        self.health.good("dispatch");
                        sent
                    }
                    Err(error) => {
                        self.health.bad("dispatch", "cannot claim");
                        tracing::warn!(%error, "claiming is tried again");
                        0
                    }
                };
                if sent == 0 {
                    tokio::select! {
                        () = self.planned.notified() => {}
                        () = tokio::time::sleep(Duration::from_millis(200)) => {}
                        () = soft.cancelled() => {}
                    }
                }
            }
        });
    }

    /// Claims as many as can be sent at once and sends them. How many there were.
    async fn portion(&self) -> Result<usize, sqlx::Error> {
        let now = clock::now();
        let lease = now + TimeDelta::from_std(self.lease).unwrap_or(TimeDelta::seconds(10));
        let most = i64::try_from(self.concurrency).unwrap_or(16);
        let claimed = delivery::claim(&self.pool, now, lease, most).await?;
        let count = claimed.len();
        stream::iter(claimed).for_each_concurrent(None, |one| self.deliver(one)).await;
        Ok(count)
    }

    async fn deliver(&self, claimed: Claimed) {
        let started_at = clock::now();
        let outcome = self.attempt(&claimed).await;
        let now = clock::now();
        let took = (now - started_at).to_std().unwrap_or_default();
        metric::attempt(&claimed.channel, outcome.label(), took);
        let next = next(&outcome, &claimed, now);
        let attempt = Attempt {
            started_at,
            took_ms: i32::try_from(took.as_millis()).unwrap_or(i32::MAX),
            outcome: outcome.label(),
            detail: outcome.detail().chars().take(200).collect(),
        };
        match delivery::record(&self.pool, &claimed, &attempt, next, now).await {
            Ok(true) => report(&claimed, &outcome, next, now),
            Ok(false) => tracing::warn!(delivery.id = %claimed.id, "another claimed it meanwhile"),
            // The lease ends and it is sent again, under the same Message-ID.
            Err(error) => {
                tracing::error!(%error, delivery.id = %claimed.id, "the outcome cannot be written");
            }
        }
    }

    async fn attempt(&self, claimed: &Claimed) -> Outcome {
        let context = &claimed.context.0;
        let language = Language::of(Some(&claimed.language));
        let written = self.link(&context.order).and_then(|link| {
            let letter = self.letters.write(context, language, &link);
            letter.map_err(|error| Outcome::Rejected(error.to_string()))
        });
        let envelope = Envelope {
            delivery: claimed.id,
            recipient: &claimed.recipient,
            order: &context.order,
            milestone: context.milestone.code(),
        };
        match written.and_then(|letter| self.sender.seal(&letter, envelope)) {
            Ok(message) => self.mailer.send(&message).await,
            Err(outcome) => outcome,
        }
    }

    /// The order's page with a token behind `#`, which no server ever sees.
    fn link(&self, order: &str) -> Result<String, Outcome> {
        let guest = format!("guest:{}", Uuid::new_v4().simple());
        let scope = vec![SCOPE_TIMELINE.to_owned()];
        let token =
            self.auth.tokens.mint(&guest, vec![order.to_owned()], scope, clock::now() + LINK);
        let token = token.map_err(|error| Outcome::Rejected(error.to_string()))?;
        Ok(format!("{}#token={token}", self.page.replace("{order}", order)))
    }
}

/// What follows, within the deadline: what cannot be told in time is told no more.
fn next(outcome: &Outcome, claimed: &Claimed, now: DateTime<Utc>) -> Next {
    let attempt = u32::try_from(claimed.attempt).unwrap_or(1);
    match decide(outcome, attempt, fastrand::f64()) {
        Decision::Done(state, reason) => Next::Over(state, reason),
        Decision::Again(wait) => {
            let at = now + TimeDelta::from_std(wait).unwrap_or(TimeDelta::seconds(40));
            if at > claimed.deadline_at { Next::Over("expired", "deadline") } else { Next::At(at) }
        }
    }
}

fn report(claimed: &Claimed, outcome: &Outcome, next: Next, now: DateTime<Utc>) {
    let channel = &claimed.channel;
    let Next::Over(state, reason) = next else {
        tracing::info!(delivery.id = %claimed.id, channel, outcome = outcome.label(), detail = outcome.detail(),
            "tried; again later");
        return;
    };
    metric::ended(channel, state, reason);
    if state == "accepted" {
        metric::told_after(channel, (now - claimed.created_at).to_std().unwrap_or_default());
        return;
    }
    if state == "expired" {
        metric::missed(channel);
    }
    tracing::error!(delivery.id = %claimed.id, channel, state, detail = outcome.detail(), "not told on this channel");
}
