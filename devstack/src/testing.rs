//! What tests against the running stack have in common.

mod gateway;

pub use gateway::Ground;

use crate::client::Rest;
use crate::manifest::Manifest;
use anyhow::Context;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use serde_json::Value;
use service_kit::kafka::{Outgoing, Producer};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// The running stack, with a client and a producer.
pub struct Stack {
    /// Where everything is.
    pub manifest: Manifest,
    /// REST and mail box.
    pub rest: Rest,
    /// Writes to the sources' topics.
    pub producer: Producer,
}

impl Stack {
    /// The stack that `cargo verify` or `cargo demo` runs.
    ///
    /// # Errors
    /// When nothing runs.
    pub fn running() -> anyhow::Result<Self> {
        let manifest = Manifest::read()
            .context("these tests need the stack: run `cargo verify --only rust`")?;
        let rest = Rest::new(manifest.clone())?;
        let producer = Producer::new(&manifest.kafka_brokers, "tests")?;
        Ok(Self { manifest, rest, producer })
    }

    /// Writes a record to a source's topic and returns when Kafka has it.
    ///
    /// # Errors
    /// When Kafka does not take it.
    pub async fn send(&self, topic: &str, value: impl Into<Vec<u8>>) -> anyhow::Result<()> {
        Ok(self.producer.send(&[Outgoing::new(topic.to_owned(), "", value)]).await?)
    }

    /// Writes a JSON record.
    ///
    /// # Errors
    /// When Kafka does not take it.
    pub async fn say(&self, topic: &str, value: &Value) -> anyhow::Result<()> {
        self.send(topic, value.to_string()).await
    }

    /// The value of a metric with these labels, summed over its series.
    ///
    /// # Errors
    /// When the service does not answer.
    pub async fn metric(&self, admin: &str, name: &str, labels: &str) -> anyhow::Result<f64> {
        let client =
            reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
        let page = client.get(format!("{admin}/metrics")).send().await?.text().await?;
        let lines = page.lines().filter(|line| line.starts_with(name) && line.contains(labels));
        Ok(lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
    }
}

/// A name that no other test uses.
#[must_use]
pub fn unique(name: &str) -> String {
    format!("{name}-{:08x}", fastrand::u32(..))
}

/// A record that was found.
#[derive(Debug)]
pub struct Found {
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Headers.
    pub headers: HashMap<String, String>,
    /// Value.
    pub value: Vec<u8>,
}

/// Reads a topic from its beginning until a record fits.
///
/// # Errors
/// When none comes in time.
pub async fn find_record(
    brokers: &str,
    topic: &str,
    limit: Duration,
    fits: impl Fn(&[u8]) -> bool + Send + 'static,
) -> anyhow::Result<Found> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("broker.address.family", "v4");
    config.set("group.id", unique("reader")).set("auto.offset.reset", "earliest");
    config.set("fetch.message.max.bytes", "4194304");
    let consumer: BaseConsumer = config.create()?;
    consumer.subscribe(&[topic])?;
    let search = move || {
        let end = Instant::now() + limit;
        while Instant::now() < end {
            let Some(Ok(message)) = consumer.poll(Duration::from_millis(200)) else { continue };
            let value = message.payload().unwrap_or_default();
            if fits(value) {
                let text = |bytes: Option<&[u8]>| {
                    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
                };
                let headers = message.headers().into_iter().flat_map(Headers::iter);
                return Some(Found {
                    key: message.key().map(<[u8]>::to_vec),
                    headers: headers.map(|h| (h.key.to_owned(), text(h.value))).collect(),
                    value: value.to_vec(),
                });
            }
        }
        None
    };
    tokio::task::spawn_blocking(search).await?.with_context(|| format!("no such record in {topic}"))
}
