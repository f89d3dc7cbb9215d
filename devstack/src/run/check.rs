//! `cargo demo --check`: one order from placed to delivered through the real sources, followed
//! as a customer would follow it: REST, WebSocket, SSE, feed and mail box.

use crate::client::{LiveClient, Rest, StreamClient};
use crate::host::term;
use crate::manifest::Manifest;
use crate::shop::life::{Kind, Pace, life};
use crate::shop::native::Native;
use crate::shop::people::Person;
use anyhow::{Context, ensure};
use chrono::TimeDelta;
use serde_json::Value;
use service_kit::clock;
use service_kit::kafka::{Outgoing, Producer};
use std::time::Duration;
use tokio::time::Instant;

/// The order that is played.
const ORDER: &str = "TM-CHECK";
/// How long any single thing may take.
const LIMIT: Duration = Duration::from_secs(15);
/// Occasions that are told by letter.
const BY_LETTER: [&str; 5] = [
    "order.confirmed",
    "production.started",
    "production.finished",
    "shipment.handed_over",
    "shipment.delivered",
];

/// A customer with an open page on each gateway.
struct Follower {
    rest: Rest,
    producer: Producer,
    page: LiveClient,
    feed: LiveClient,
    stream: StreamClient,
    email: String,
    token: String,
    version: u64,
    letters: usize,
}

/// Plays the order and follows it.
///
/// # Errors
/// What did not happen, in one sentence.
pub async fn check(manifest: &Manifest) -> anyhow::Result<()> {
    let person = Person::number(0).speaking("vi", "C-CHECK".to_owned());
    // All of it lies in the last hours: yesterday's news would tell nobody.
    let pace = Pace { start: clock::now() - TimeDelta::hours(8), speed: 14.0 };
    let records = life(Kind::Plain, ORDER, &person, pace, &mut fastrand::Rng::with_seed(4));
    let started = Instant::now();
    let mut follower = Follower::open(manifest, &person).await?;
    term::line(&format!(
        "\n  order {ORDER}: {} records through {}\n",
        records.len(),
        manifest.kafka_brokers
    ));
    term::line("  event                        REST     WebSocket  SSE       letter");
    for record in &records {
        follower.step(record).await?;
    }
    follower.finish().await?;
    let seconds = started.elapsed().as_secs_f64();
    term::line(&format!(
        "\n  {ORDER} is delivered: version {}, {} letters, each once  ({seconds:.1} s)",
        follower.version, follower.letters
    ));
    Ok(())
}

impl Follower {
    async fn open(manifest: &Manifest, person: &Person) -> anyhow::Result<Self> {
        let rest = Rest::new(manifest.clone())?;
        let token = rest.token(&person.id, &[ORDER]).await?;
        let channel = format!("order:{ORDER}");
        let mut page =
            LiveClient::connect(&manifest.gateways[1], &token).await.context("WebSocket")?;
        let empty = page.subscribe(&channel, None).await?;
        ensure!(empty.frame["data"].is_null(), "an order that nobody has heard of has a state");
        let mut feed = LiveClient::connect(&manifest.gateways[0], &token).await?;
        feed.subscribe(&format!("inbox:{}", person.id), None).await?;
        let stream =
            StreamClient::connect(&manifest.gateways[0], &token, &channel).await.context("SSE")?;
        let producer = Producer::new(&manifest.kafka_brokers, "demo-check")?;
        Ok(Self {
            rest,
            producer,
            page,
            feed,
            stream,
            email: person.email(),
            token,
            version: 0,
            letters: 0,
        })
    }

    /// Writes one record and sees it everywhere.
    async fn step(&mut self, record: &Native) -> anyhow::Result<()> {
        let sent = Instant::now();
        let outgoing = Outgoing::new(record.topic, ORDER, record.body());
        self.producer.send(&[outgoing]).await.context("Kafka does not take a record")?;
        if !counts(record) {
            return Ok(());
        }
        let (next, channel) = (self.version + 1, format!("order:{ORDER}"));
        let page = self.page.wait_version(&channel, next, LIMIT).await.context("WebSocket")?;
        let stream = self.stream.wait_version(next, LIMIT).await.context("SSE")?;
        let timeline = self.rest.wait_version(ORDER, next, LIMIT).await.context("REST")?;
        let read = sent.elapsed();
        self.version = page.version();
        let newest = newest(&page.frame["data"]);
        ensure!(timeline["version"].as_u64() >= Some(next), "REST is behind");
        let letter = if BY_LETTER.contains(&newest.as_str()) {
            self.rest.wait_letter(&self.email, &newest, LIMIT).await?;
            self.letters += 1;
            format!("{:>6.0} ms", sent.elapsed().as_secs_f64() * 1000.0)
        } else {
            String::new()
        };
        let ms = |at: Instant| (at - sent).as_secs_f64() * 1000.0;
        term::line(&format!(
            "  {newest:<26} {:>5.0} ms   {:>5.0} ms   {:>5.0} ms   {letter}",
            read.as_secs_f64() * 1000.0,
            ms(page.at),
            ms(stream.at)
        ));
        Ok(())
    }

    /// The feed tells all, and no letter came twice.
    async fn finish(&mut self) -> anyhow::Result<()> {
        let timeline = self.rest.timeline(ORDER).await?.context("the order is gone")?;
        ensure!(timeline["status"] == "shipment.delivered", "the status is {}", timeline["status"]);
        ensure!(timeline["terminal"] == true, "a delivered order is not over");
        let has = |state: &Value| state["items"].to_string().contains("shipment.delivered");
        self.feed.wait(LIMIT, |seen| has(&seen.frame["data"])).await.context("the live feed")?;
        let inbox = self.rest.inbox(&self.token).await?;
        ensure!(has(&inbox), "the feed does not tell of the delivery");
        let letters = self.rest.letters(Some(&self.email)).await?;
        let mut milestones: Vec<&str> =
            letters.iter().map(crate::client::Letter::milestone).collect();
        milestones.sort_unstable();
        let count = milestones.len();
        milestones.dedup();
        ensure!(milestones.len() == count, "a letter came twice: {milestones:?}");
        self.letters = count;
        Ok(())
    }
}

/// Some records are for the operator only.
fn counts(record: &Native) -> bool {
    let is = |field: &str, values: &[&str]| values.iter().any(|v| record.value[field] == *v);
    let machine = is("stage", &["PRINTING", "ENGRAVING"]);
    !(is("status", &["ALLOCATED", "PICKED"]) || machine && is("state", &["FINISHED"]))
}

/// The newest milestone of a timeline.
fn newest(timeline: &Value) -> String {
    let entries = timeline["entries"].as_array();
    let last = entries.and_then(|all| all.last()).map(|entry| entry["milestone"].clone());
    last.and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default()
}
