//! Reads the newest versions from `order.timeline`.

use super::{Version, due};
use aggregator::store::outbox::lane_of;
use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};
use contract::name::TOPIC_ORDER_TIMELINE;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Message as _, Offset, TopicPartitionList};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// What is there is read within this time.
const LIMIT: Duration = Duration::from_secs(30);

/// What was published, as it was written: texts are taken over as they are.
#[derive(Deserialize)]
struct Published {
    event: Box<RawValue>,
    timeline: Box<RawValue>,
    previous_status: Option<String>,
    customer: Box<RawValue>,
}

#[derive(Deserialize)]
struct Event {
    source: String,
    id: String,
    r#type: String,
    time: DateTime<Utc>,
    receivedat: DateTime<Utc>,
    #[serde(default)]
    traceparent: Option<String>,
}

#[derive(Deserialize)]
struct State {
    order: String,
    version: i64,
    status: String,
    updated_at: DateTime<Utc>,
}

/// A reader that reads nothing while it is not asked, nothing twice, and of much the newest.
pub(super) struct Newest {
    consumer: BaseConsumer,
    /// How far it has read, by partition.
    read: HashMap<i32, i64>,
}

impl Newest {
    pub(super) fn open(brokers: &str) -> anyhow::Result<Self> {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", brokers)
            .set("broker.address.family", "v4")
            .set("group.id", "prove-bare")
            .set("enable.auto.commit", "false");
        Ok(Self { consumer: config.create()?, read: HashMap::new() })
    }

    /// So many versions at most, of each partition in their order.
    pub(super) fn read(&mut self, most: usize) -> anyhow::Result<Vec<Version>> {
        let ends = self.ends()?;
        let each = i64::try_from(most / ends.len().max(1))?;
        let (mut parts, mut left) = (TopicPartitionList::new(), 0);
        for (partition, end) in ends {
            let before = self.read.insert(partition, end).unwrap_or(0);
            let from = before.max(end - each);
            left += end - from;
            parts.add_partition_offset(TOPIC_ORDER_TIMELINE, partition, Offset::Offset(from))?;
        }
        self.consumer.assign(&parts)?;
        let (mut versions, started) = (Vec::new(), Instant::now());
        while i64::try_from(versions.len())? < left {
            ensure!(started.elapsed() < LIMIT, "{left} versions were published and cannot be read");
            let Some(message) = self.consumer.poll(Duration::from_millis(100)) else { continue };
            versions.push(version(message?.payload().context("an empty version")?)?);
        }
        self.consumer.unassign()?;
        Ok(versions)
    }

    /// The end of each partition.
    fn ends(&self) -> anyhow::Result<Vec<(i32, i64)>> {
        let metadata = self.consumer.fetch_metadata(Some(TOPIC_ORDER_TIMELINE), LIMIT)?;
        let topic = metadata.topics().first().context("no such topic")?;
        let ends = topic.partitions().iter().map(|partition| {
            let (_, end) =
                self.consumer.fetch_watermarks(TOPIC_ORDER_TIMELINE, partition.id(), LIMIT)?;
            Ok((partition.id(), end))
        });
        ends.collect()
    }
}

fn version(value: &[u8]) -> anyhow::Result<Version> {
    let Published { event, timeline, previous_status, customer } = serde_json::from_slice(value)?;
    let Event { source, id, r#type: milestone, time, receivedat, traceparent } =
        serde_json::from_str(event.get())?;
    let State { order, version, status, updated_at } = serde_json::from_str(timeline.get())?;
    let text = |part: Box<RawValue>| String::from(Box::<str>::from(part));
    Ok(Version {
        lane: lane_of(&order),
        order,
        number: version,
        due: due::unknown(updated_at),
        status,
        updated_at,
        key: format!("{source}:{id}"),
        milestone,
        occurred_at: time,
        received_at: receivedat,
        previous_status,
        traceparent,
        event: text(event),
        timeline: text(timeline),
        customer: text(customer),
    })
}
