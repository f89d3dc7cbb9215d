//! Reads what the aggregator publishes for other programs, from the beginning.

use devstack::manifest::ManifestFile;
use service_kit::config::Kafka;
use service_kit::health::Health;
use service_kit::kafka::{BatchConsumer, Portion};
use std::time::Duration;

/// A reader of `order.timeline` in a group of its own.
pub(crate) async fn timelines(manifest: &ManifestFile, name: &str) -> BatchConsumer {
    let config = Kafka {
        kafka_brokers: manifest.get().kafka_brokers,
        kafka_instance: name.to_owned(),
        kafka_partitions: 4,
        kafka_replication: 1,
        kafka_max_poll_interval: Duration::from_mins(1),
    };
    let topic = ["order.timeline".to_owned()];
    let group = format!("prove-{name}");
    let linger = Duration::from_millis(20);
    let portion = Portion { records: 2_000, bytes: 32 << 20, linger, pause: linger };
    BatchConsumer::join(&config, &group, &topic, &topic, portion, &Health::default()).await
}
