//! Reads the source topics in batches and hands them to the pipeline; offsets after the commit.

use crate::config::Config;
use crate::pipeline::{Pipeline, Work};
use crate::source::SOURCES;
use contract::name::{TOPIC_DEAD_LETTER, TOPIC_ORDER_EVENTS, TOPIC_ORDER_TIMELINE, source_topic};
use rdkafka::error::KafkaError;
use service_kit::clock;
use service_kit::health::Health;
use service_kit::kafka::{BatchConsumer, ensure_topics};
use service_kit::lifecycle::Lifecycle;
use std::time::Duration;

/// The consumer group.
const GROUP: &str = "aggregator";
/// Most bytes in one transaction.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Creates missing topics, joins the group and reads until the soft stop. While Kafka is away,
/// says so and goes on trying.
pub fn start(life: &Lifecycle, config: Config, pipeline: Pipeline, health: Health) {
    let soft = life.soft().clone();
    life.spawn("intake", async move {
        tokio::select! {
            () = run(config, pipeline, health) => {}
            () = soft.cancelled() => {}
        }
    });
}

async fn run(config: Config, pipeline: Pipeline, health: Health) {
    health.bad("intake", "not subscribed yet");
    let consumer = loop {
        match subscribe(&config).await {
            Ok(consumer) => break consumer,
            Err(error) => {
                tracing::warn!(%error, "Kafka is away; trying again");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    };
    health.good("intake");
    loop {
        let linger = Duration::from_millis(5);
        let records = match consumer.batch(config.batch_records, BATCH_BYTES, linger).await {
            Ok(records) => records,
            Err(error) => {
                tracing::warn!(%error, "reading from Kafka is tried again");
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            }
        };
        let now = clock::now();
        let works = records.iter().map(|record| Work::read(record.clone(), now)).collect();
        match pipeline.process(works).await {
            Ok(()) => {
                health.good("intake");
                consumer.done(&records);
            }
            Err(error) => {
                // Going on would lose the batch; standing still loses nothing and is seen.
                health.bad("intake", "a batch cannot be stored");
                tracing::error!(%error, "a batch cannot be stored; the process stands still");
                std::future::pending::<()>().await;
            }
        }
    }
}

async fn subscribe(config: &Config) -> Result<BatchConsumer, KafkaError> {
    let kafka = &config.kafka;
    let sources: Vec<String> = SOURCES.iter().map(|source| source_topic(source)).collect();
    let own = [TOPIC_DEAD_LETTER, TOPIC_ORDER_EVENTS, TOPIC_ORDER_TIMELINE].map(str::to_owned);
    let all: Vec<String> = sources.iter().cloned().chain(own).collect();
    ensure_topics(&kafka.kafka_brokers, &all, kafka.kafka_partitions, kafka.kafka_replication)
        .await?;
    BatchConsumer::subscribe(kafka, GROUP, &sources)
}
