//! Reads the source topics in batches and hands them to the pipeline; offsets after the commit.

use crate::config::Config;
use crate::pipeline::{Pipeline, Work};
use crate::source::Catalog;
use contract::name::{TOPIC_DEAD_LETTER, TOPIC_ORDER_EVENTS, TOPIC_ORDER_TIMELINE, source_topic};
use service_kit::clock;
use service_kit::health::Health;
use service_kit::kafka::{BatchConsumer, Portion, Reached};
use service_kit::lifecycle::Lifecycle;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

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
    // While a batch is stored, the next one is read.
    let (ahead, mut batches) = mpsc::channel(1);
    let read = async {
        loop {
            let records = consumer.next(portion).await;
            let (reached, now) = (Reached::by(&records), clock::now());
            let read = |record| Work::read(catalog, record, now);
            let works: Vec<Work> = records.into_iter().map(read).collect();
            if ahead.send((works, reached)).await.is_err() {
                return;
            }
        }
    };
    let store = async {
        while let Some((works, reached)) = batches.recv().await {
            pipeline.process(works, &health).await;
            consumer.reached(&reached);
        }
    };
    tokio::join!(read, store);
}
