//! Reads the source topics in batches and hands them to the pipeline; offsets after the commit.

mod parts;

use crate::config::Config;
use crate::pipeline::{Pipeline, Work};
use crate::source::Catalog;
use contract::name::{TOPIC_DEAD_LETTER, TOPIC_ORDER_EVENTS, TOPIC_ORDER_TIMELINE, source_topic};
use futures_util::future::try_join_all;
use futures_util::{FutureExt, Stream, StreamExt, TryFutureExt, stream};
use parts::{Part, Parts};
use service_kit::clock;
use service_kit::health::Health;
use service_kit::kafka::{BatchConsumer, Portion, Reached};
use service_kit::lifecycle::Lifecycle;
use std::panic;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// The consumer group.
const GROUP: &str = "aggregator";
/// Most bytes in one transaction.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Batches that are stored at the same time: while one waits for the database, another is folded.
const AT_ONCE: usize = 2;

/// A batch, and how far it reaches.
type Batch = (Vec<Work>, Reached);

/// Reads until the soft stop. What is in hand then is dropped and read again.
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
            () = run(config, catalog, pipeline, health) => {}
            () = soft.cancelled() => {}
        }
    });
}

async fn run(config: Config, catalog: Arc<Catalog>, pipeline: Pipeline, health: Health) {
    let sources: Vec<String> = catalog.names().into_iter().map(source_topic).collect();
    let own = [TOPIC_DEAD_LETTER, TOPIC_ORDER_EVENTS, TOPIC_ORDER_TIMELINE].map(str::to_owned);
    let needed: Vec<String> = sources.iter().cloned().chain(own).collect();
    let consumer = BatchConsumer::join(&config.kafka, GROUP, &needed, &sources, &health).await;
    let portion = Portion {
        records: config.batch_records,
        bytes: BATCH_BYTES,
        linger: Duration::from_millis(5),
    };
    let consumer = Arc::new(consumer);
    let from = (consumer.clone(), catalog, pipeline.shelf.clone());
    let batches = stream::unfold(from, move |(consumer, catalog, shelf)| async move {
        shelf.room().await;
        Some((next(&consumer, portion, &catalog).await, (consumer, catalog, shelf)))
    });
    store(batches, &consumer, &pipeline, &health).await;
}

/// What is there when there is a turn for it, not before: the busier the database is, the more
/// records share a transaction.
async fn next(consumer: &BatchConsumer, portion: Portion, catalog: &Catalog) -> Batch {
    let records = consumer.next(portion).await;
    let (reached, now) = (Reached::by(&records), clock::now());
    let works = records.into_iter().map(|record| Work::read(catalog, record, now)).collect();
    (works, reached)
}

/// Stores some batches at a time. Offsets go forward in the order of the batches: what is behind
/// one that is not stored yet is read again after a crash.
async fn store(
    batches: impl Stream<Item = Batch>,
    consumer: &BatchConsumer,
    pipeline: &Pipeline,
    health: &Health,
) {
    let mut parts = Parts::default();
    let stored = batches.map(|(works, reached)| {
        let tasks = parts.of(works).into_iter();
        let tasks = tasks.map(|part| process(pipeline.clone(), part, health.clone()));
        try_join_all(tasks.collect::<Vec<_>>()).map_ok(|_| reached)
    });
    let mut stored = pin!(stored.buffered(AT_ONCE));
    while let Some(done) = stored.next().await {
        match done {
            Ok(reached) => consumer.reached(&reached),
            // Not stored: this task ends as that one did.
            Err(error) => match error.try_into_panic() {
                Ok(reason) => panic::resume_unwind(reason),
                Err(_) => return,
            },
        }
    }
}

/// A part of a batch on a task of its own, which ends when it is dropped.
fn process(pipeline: Pipeline, part: Part, health: Health) -> AbortOnDropHandle<()> {
    // Asked for now: turns are given in the order of the batches.
    let mut turn = Box::pin(part.turn.lock_owned());
    let first = turn.as_mut().now_or_never();
    let task = async move {
        let _turn = match first {
            Some(turn) => turn,
            None => turn.await,
        };
        pipeline.process(part.works, &health).await;
    };
    AbortOnDropHandle::new(TaskTracker::new().spawn(task))
}
