//! One loop for each host: what is due is asked one after the other, so many a second at most. Of
//! several aggregators the owner of the first lane asks, so that a limit holds for all of them
//! together. (While the lane changes hands, the last call of the one and the first of the other may
//! overlap.)

use super::breaker::Breaker;
use super::client::{Outcome, ask as call_it, client};
use crate::metric;
use crate::question::{Question, next};
use crate::relay::Lanes;
use crate::store::ask::{self as asks, Ask};
use crate::webhook::Secrets;
use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use contract::name::source_topic;
use reqwest::Client;
use secrecy::SecretString;
use service_kit::clock;
use service_kit::kafka::{Outgoing, Producer};
use service_kit::lifecycle::Lifecycle;
use sqlx::PgPool;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How much is claimed at a time.
const PORTION: i64 = 5;
/// Whoever claims and dies keeps nobody else from asking for longer than this: a portion of calls that
/// all run into their time limit is over before.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// Wait when nothing is due.
const IDLE: Duration = Duration::from_secs(1);

/// What came of a question.
#[derive(Clone, Copy)]
enum Heard {
    /// Something that was not there before.
    News,
    /// What was known, or that the number is not.
    Old,
    /// No answer: that is no matter of the number's.
    Nothing,
}

/// Wait after no answer; the breaker may wait longer.
const NO_ANSWER: TimeDelta = TimeDelta::minutes(1);

/// When to ask again.
fn again(ask: &mut Ask, heard: Heard) -> DateTime<Utc> {
    let now = clock::now();
    ask.misses = match heard {
        Heard::News => 0,
        Heard::Old => ask.misses.saturating_add(1),
        Heard::Nothing => return next(now, NO_ANSWER, 0, fastrand::f64()),
    };
    let misses = u32::try_from(ask.misses).unwrap_or(0);
    next(now, TimeDelta::seconds(ask.interval_s), misses, fastrand::f64())
}

/// One question with what it takes to ask it.
struct Round {
    question: Question,
    secret: Option<SecretString>,
    client: Client,
    pool: PgPool,
    producer: Producer,
    breaker: Breaker,
    lanes: Lanes,
    soft: CancellationToken,
}

/// Asks until the soft stop. A question whose header wants a secret that is not there
/// (`<source>:ask` among the secrets) is not asked.
///
/// # Errors
/// When the machine gives no TLS.
pub fn start(
    life: &Lifecycle,
    questions: &[Question],
    secrets: &Arc<Secrets>,
    pool: &PgPool,
    producer: &Producer,
    lanes: &Lanes,
) -> anyhow::Result<()> {
    let client = client()?;
    let mut hosts: BTreeMap<String, Vec<Round>> = BTreeMap::new();
    for question in questions {
        let round = Round {
            question: question.clone(),
            secret: secrets.to_ask(&question.source).cloned(),
            client: client.clone(),
            pool: pool.clone(),
            producer: producer.clone(),
            breaker: Breaker::default(),
            lanes: lanes.clone(),
            soft: life.soft().clone(),
        };
        hosts.entry(host(&question.template.url)).or_default().push(round);
    }
    for rounds in hosts.into_values() {
        let soft = life.soft().clone();
        life.spawn("ask", ask_in_turn(rounds, soft));
    }
    Ok(())
}

/// Whom an address belongs to: what stands between the scheme and the path.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default().to_ascii_lowercase()
}

/// The questions to one host: while one asks, the others wait.
async fn ask_in_turn(mut rounds: Vec<Round>, soft: CancellationToken) {
    loop {
        let mut wait = IDLE;
        for round in &mut rounds {
            let next = round.turn().await.unwrap_or_else(|error| {
                tracing::warn!(%error, source = round.question.source, "asking is tried again");
                IDLE
            });
            wait = wait.min(next);
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = soft.cancelled() => return,
        }
    }
}

impl Round {
    /// Asks what is due; returns how long to wait then.
    async fn turn(&mut self) -> anyhow::Result<Duration> {
        if !self.asks() || !self.breaker.lets(Instant::now()) {
            return Ok(IDLE);
        }
        let now = clock::now();
        let source = self.question.source.clone();
        let lease = now + LEASE;
        let due = asks::claim(&self.pool, &source, now, lease, PORTION).await?;
        let pause = Duration::from_secs(1) / self.question.per_second.max(1);
        let wait = if due.is_empty() { IDLE } else { Duration::ZERO };
        for mut ask in due {
            if !self.asks() {
                // Whoever asks next need not wait for the end of the lease.
                asks::give_back(&self.pool, &source, &ask.subject, lease, now).await?;
                continue;
            }
            let lets = self.breaker.lets(Instant::now());
            let heard = if lets { self.one(&mut ask).await? } else { Heard::Nothing };
            let at = again(&mut ask, heard);
            asks::answered(&self.pool, &source, &ask, at).await?;
            tokio::time::sleep(pause).await;
        }
        Ok(wait)
    }

    /// Is it this process that asks, and does it go on?
    fn asks(&self) -> bool {
        !self.soft.is_cancelled() && self.lanes.held().leads()
    }

    /// Asks about one. News is in the log before it is noted.
    async fn one(&mut self, ask: &mut Ask) -> anyhow::Result<Heard> {
        let template = &self.question.template;
        let Some(call) = template.call(&ask.subject) else {
            metric::asked(&self.question.source, "no_number");
            return Ok(Heard::Old);
        };
        let outcome = call_it(&self.client, template, self.secret.as_ref(), call).await;
        metric::asked(&self.question.source, outcome.label());
        self.note(&outcome);
        let (body, kind) = match outcome {
            Outcome::Answer(body, kind) => (body, kind),
            Outcome::Unknown => return Ok(Heard::Old),
            Outcome::Wait(_) | Outcome::Refused(_) | Outcome::Away(_) => return Ok(Heard::Nothing),
        };
        let digest = digest(&SHA256, &body).as_ref().to_vec();
        if ask.digest.as_ref() == Some(&digest) {
            return Ok(Heard::Old);
        }
        self.producer.send(&[self.record(ask, body, kind)]).await?;
        ask.digest = Some(digest);
        Ok(Heard::News)
    }

    fn note(&mut self, outcome: &Outcome) {
        let (now, source) = (Instant::now(), &self.question.source);
        let opened = match outcome {
            Outcome::Answer(..) | Outcome::Unknown => {
                self.breaker.good();
                None
            }
            Outcome::Wait(wait) => {
                self.breaker.wait(now, wait.unwrap_or(Duration::from_mins(1)));
                None
            }
            Outcome::Refused(_) | Outcome::Away(_) => self.breaker.bad(now),
        };
        if let Some(wait) = opened {
            let seconds = wait.as_secs();
            tracing::warn!(source, ?outcome, seconds, "it fails, and is left alone for a while");
        }
    }

    /// What it said, as if it had called. We called it, over TLS: that is as good as a signature.
    fn record(&self, ask: &Ask, body: Bytes, kind: Option<String>) -> Outgoing {
        let kind = kind.unwrap_or_else(|| "application/json".to_owned());
        Outgoing::new(source_topic(&self.question.source), ask.order_id.as_bytes(), body)
            .header("received-at", clock::now().to_rfc3339())
            .header("verification", "verified")
            .header("content-type", kind)
            .header("asked", ask.subject.clone())
    }
}
