//! Reads the source topics in batches and hands them to the pipeline; offsets after the commit.

use crate::config::Config;
use crate::pipeline::{Pipeline, Work};
use crate::source::Catalog;
use contract::name::{TOPIC_DEAD_LETTER, TOPIC_ORDER_EVENTS, TOPIC_ORDER_TIMELINE, source_topic};
use service_kit::clock;
use service_kit::health::Health;
use service_kit::kafka::{BatchConsumer, Portion};
use service_kit::lifecycle::Lifecycle;
use std::sync::Arc;
use std::time::Duration;

/// The consumer group.
const GROUP: &str = "aggregator";
/// Most bytes in one transaction.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Reads until the soft stop.
pub fn start(
    life: &Lifecycle,
    config: Config,
    catalog: Arc<Catalog>,
    pipeline: Pipeline,
    health: Health,
) {
    let soft = life.soft().clone();
    life.spawn("intake", async move {
        tokio::select! {
            () = run(config, &catalog, pipeline, health) => {}
            () = soft.cancelled() => {}
        }
    });
}

async fn run(config: Config, catalog: &Catalog, pipeline: Pipeline, health: Health) {
    let sources: Vec<String> = catalog.names().into_iter().map(source_topic).collect();
    let own = [TOPIC_DEAD_LETTER, TOPIC_ORDER_EVENTS, TOPIC_ORDER_TIMELINE].map(str::to_owned);
    let needed: Vec<String> = sources.iter().cloned().chain(own).collect();
    let consumer = BatchConsumer::join(&config.kafka, GROUP, &needed, &sources, &health).await;
    let portion = Portion {
        records: config.batch_records,
        bytes: BATCH_BYTES,
        linger: Duration::from_millis(5),
    };
    loop {
        let records = consumer.next(portion).await;
        let now = clock::now();
        let works = records.iter().map(|record| Work::read(catalog, record.clone(), now)).collect();
        pipeline.process(works, &health).await;
        consumer.done(&records);
    }
}
