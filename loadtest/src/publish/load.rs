//! Writes records at a rate, and hears from Kafka when it had each of them.

use super::written::Writings;
use super::{ORDERS, order};
use anyhow::{anyhow, bail};
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{ClientConfig, Timestamp};
use serde_json::json;
use service_kit::clock;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Where the records go.
const TOPIC: &str = "source.logistics";

/// Writes, and counts the orders' versions.
pub(super) struct Writer {
    producer: FutureProducer,
    versions: Vec<u64>,
}

impl Writer {
    /// From here on the topic's records bear the broker's time, which its answer tells: what a producer
    /// waits for company before it sends is not time in Kafka.
    pub(super) async fn new(brokers: &str) -> anyhow::Result<Self> {
        let mut client = ClientConfig::new();
        client.set("bootstrap.servers", brokers);
        let admin: AdminClient<DefaultClientContext> = client.create()?;
        let change = AlterConfig::new(ResourceSpecifier::Topic(TOPIC))
            .set("message.timestamp.type", "LogAppendTime");
        for altered in admin.alter_configs([&change], &AdminOptions::new()).await? {
            altered.map_err(|(_, code)| anyhow!("{TOPIC}: {code}"))?;
        }
        let producer = client.set("linger.ms", "5").set("enable.idempotence", "true").create()?;
        Ok(Self { producer, versions: vec![1; ORDERS] })
    }

    /// Open loop: the clock says when the next record goes.
    pub(super) async fn write(
        &mut self,
        writings: &Writings,
        rate: u32,
        count: usize,
    ) -> anyhow::Result<()> {
        let (start, mut writes) = (Instant::now(), JoinSet::new());
        for n in 0..count {
            tokio::time::sleep_until(start + Duration::from_secs(1) * u32::try_from(n)? / rate)
                .await;
            let version = &mut self.versions[n % ORDERS];
            *version += 1;
            let (order, version) = (order(n % ORDERS), *version);
            writings.asked(&order, version);
            writes.spawn(write(self.producer.clone(), writings.clone(), order, version));
        }
        while let Some(written) = writes.join_next().await {
            written??;
        }
        Ok(())
    }
}

/// Writes one record.
async fn write(
    producer: FutureProducer,
    writings: Writings,
    order: String,
    version: u64,
) -> anyhow::Result<()> {
    let value = json!({"id": format!("lg-{order}-{version}"), "carrier": "ghn",
        "tracking_number": format!("T-{order}"), "code": "in_transit", "ts": clock::now().timestamp(),
        "order_ref": order, "location": {"name": "Kho"}});
    let value = value.to_string();
    let record: FutureRecord<'_, (), String> = FutureRecord::to(TOPIC).payload(&value);
    let kept = producer.send(record, Duration::from_secs(10)).await.map_err(|(error, _)| error)?;
    let Timestamp::LogAppendTime(at) = kept.timestamp else {
        bail!("Kafka does not say when it had the record")
    };
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are below 2^53")]
    writings.in_kafka(&order, version, at as f64);
    Ok(())
}
