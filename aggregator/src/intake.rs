//! Reads the source topics, divides what was read by order, and hands it to the pipeline in batches;
//! offsets after the commit.

mod parts;

use crate::config::Config;
use crate::pipeline::{Calm, Pipeline, Work};
use crate::relay::Lanes;
use crate::source::Catalog;
use contract::name::{TOPIC_DEAD_LETTER, TOPIC_ORDER_EVENTS, TOPIC_ORDER_TIMELINE, source_topic};
use futures_util::future::{JoinAll, join_all, try_join_all};
use futures_util::{FutureExt, Stream, StreamExt, TryFutureExt, stream};
use parts::{Part, Parts, batches};
use service_kit::clock;
use service_kit::health::Health;
use service_kit::kafka::{BatchConsumer, Portion, Reached};
use service_kit::lifecycle::Lifecycle;
use std::panic;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// The consumer group.
const GROUP: &str = "aggregator";
/// Where there is much to do, so many batches are read together: the more records, the more of them are
/// of one order.
const BATCHES: usize = 4;
/// To read much at once that was written longer ago than this, in milliseconds, is to catch up.
const BACKLOG: i64 = 10_000;
/// So many records are not much: whoever writes them has a clock of its own, which may be slow.
const FEW: usize = 64;
/// Most bytes that are read together.
const BYTES: usize = 8 * 1024 * 1024;
/// While what was read is stored, the next is read.
const AT_ONCE: usize = 2;
/// Parts that are stored at the same time: while one waits for the database, another is folded.
const SIDE_BY_SIDE: usize = 4;
/// The same of each of several processes: they share one database, and wait for each other's locks.
const OF_SEVERAL: usize = 2;
const _: () = assert!(SIDE_BY_SIDE.is_multiple_of(OF_SEVERAL), "a part takes whole places");

/// What was read together, and how far it reaches.
type Load = (Vec<Work>, Reached);

/// Reads until the soft stop. What is in hand then is dropped and read again.
pub fn start(
    life: &Lifecycle,
    config: Config,
    catalog: Arc<Catalog>,
    pipeline: Pipeline,
    health: Health,
    lanes: Lanes,
) {
    let soft = life.soft().clone();
    life.spawn("intake", async move {
        let free = Arc::new(Semaphore::new(SIDE_BY_SIDE));
        let storage = Storage { pipeline, health, most: config.batch_records, free, lanes };
        tokio::select! {
            () = run(config, catalog, storage) => {}
            () = soft.cancelled() => {}
        }
    });
}

async fn run(config: Config, catalog: Arc<Catalog>, storage: Storage) {
    let sources: Vec<String> = catalog.names().into_iter().map(source_topic).collect();
    let own = [TOPIC_DEAD_LETTER, TOPIC_ORDER_EVENTS, TOPIC_ORDER_TIMELINE].map(str::to_owned);
    let needed: Vec<String> = sources.iter().cloned().chain(own).collect();
    let portion = Portion {
        records: config.batch_records * BATCHES,
        bytes: BYTES,
        linger: Duration::from_millis(5),
        pause: Duration::from_millis(1),
    };
    let (kafka, health) = (&config.kafka, &storage.health);
    let consumer = BatchConsumer::join(kafka, GROUP, &needed, &sources, portion, health).await;
    let consumer = Arc::new(consumer);
    let calm = storage.pipeline.calm.clone();
    calm.disturb();
    let from = (consumer.clone(), catalog, calm);
    let loads = stream::unfold(from, move |(consumer, catalog, calm)| async move {
        let load = next(&consumer, &catalog, &calm).await;
        Some((load, (consumer, catalog, calm)))
    });
    let calm = storage.pipeline.calm.clone();
    tokio::select! {
        () = store(loads, &consumer, &storage) => {}
        // What it would tell is not read meanwhile.
        () = consumer.watch(&storage.health, || calm.disturb()) => {}
    }
}

/// What is there when there is a turn for it, not before: the busier the database is, the more
/// records share a transaction.
async fn next(consumer: &BatchConsumer, catalog: &Catalog, calm: &Calm) -> Load {
    let records = consumer.next().await;
    let (reached, now) = (Reached::by(&records), clock::now());
    if is_backlog(records.iter().map(|record| record.written_ms), now.timestamp_millis()) {
        calm.disturb();
    }
    let mut works = Vec::with_capacity(records.len());
    for record in records {
        works.push(Work::read(catalog, record, now));
        // Thousands are read together while there is a backlog: others have their turn in between.
        tokio::task::consume_budget().await;
    }
    (works, reached)
}

/// Is it much, and old?
fn is_backlog(written: impl ExactSizeIterator<Item = Option<i64>>, now: i64) -> bool {
    let much = written.len() > FEW;
    much && written.flatten().min().is_some_and(|oldest| now - oldest > BACKLOG)
}

/// What parts are stored with.
#[derive(Clone)]
struct Storage {
    pipeline: Pipeline,
    health: Health,
    /// Records of a batch.
    most: usize,
    /// Who may store now.
    free: Arc<Semaphore>,
    /// Whether others do, too.
    lanes: Lanes,
}

impl Storage {
    /// Parts to store at the same time.
    fn side_by_side(&self) -> usize {
        if self.lanes.held().is_all() { SIDE_BY_SIDE } else { OF_SEVERAL }
    }
}

/// Stores what is read, some parts at a time. Offsets go forward in the order of reading: what is behind
/// something that is not stored yet is read again after a crash.
async fn store(loads: impl Stream<Item = Load>, consumer: &BatchConsumer, storage: &Storage) {
    let mut parts = Parts::default();
    let stored = loads.map(|(works, reached)| {
        let few = storage.side_by_side();
        let tasks = parts.of(works, few).into_iter().map(|part| process(storage.clone(), part));
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

/// A part on a task of its own, which ends when it is dropped.
fn process(storage: Storage, part: Part) -> AbortOnDropHandle<()> {
    // Asked for now: turns are given in the order in which records were read.
    let mut turns: JoinAll<_> = join_all(part.turns.into_iter().map(Mutex::lock_owned));
    let first = (&mut turns).now_or_never();
    let task = async move {
        let _turns = match first {
            Some(turns) => turns,
            None => turns.await,
        };
        let places = u32::try_from(SIDE_BY_SIDE / storage.side_by_side()).unwrap_or(1);
        let _place = storage.free.acquire_many(places).await;
        for batch in batches(part.works, storage.most) {
            storage.pipeline.shelf.room().await;
            storage.pipeline.process(batch, &storage.health).await;
        }
    };
    AbortOnDropHandle::new(TaskTracker::new().spawn(task))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn much_that_is_old_is_a_backlog_and_a_slow_clock_alone_is_none() {
        let now = BACKLOG * 100;
        let is = |count: usize, age: i64| is_backlog(vec![Some(now - age); count].into_iter(), now);
        assert!(is(FEW + 1, BACKLOG + 1));
        assert!(!is(FEW + 1, BACKLOG) && !is(FEW, BACKLOG + 1));
        assert!(!is_backlog(vec![None; FEW + 1].into_iter(), now), "nobody said when");
    }
}
