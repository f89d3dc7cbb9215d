//! Several processes that read as one group: who reads what, and what becomes of one that hangs.

use devstack::testing::{Stack, unique};
use service_kit::config::Kafka;
use service_kit::health::Health;
use service_kit::kafka::{BatchConsumer, Outgoing, Portion, Record, place_of};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout_at};
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

const LIMIT: Duration = Duration::from_mins(1);
/// Who takes nothing for so long hangs.
const HANGS: Duration = Duration::from_secs(7);
/// Partitions of each topic: two for each of two readers.
const PARTITIONS: i32 = 4;

const PORTION: Portion = Portion {
    records: 100,
    bytes: 1_000_000,
    linger: Duration::from_millis(5),
    pause: Duration::from_millis(1),
};

/// Who read, and what.
type Read = (&'static str, Record);

/// Joins the group of these topics.
async fn join(stack: &Stack, name: &str, topics: &[String]) -> BatchConsumer {
    let config = Kafka {
        kafka_brokers: stack.manifest.kafka_brokers.clone(),
        kafka_instance: name.to_owned(),
        kafka_partitions: PARTITIONS,
        kafka_replication: 1,
        kafka_max_poll_interval: HANGS,
    };
    BatchConsumer::join(&config, &topics[0], topics, topics, PORTION, &Health::default()).await
}

/// Reads until the end of the test.
fn read_on(
    name: &'static str,
    consumer: BatchConsumer,
    read: UnboundedSender<Read>,
) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(TaskTracker::new().spawn(async move {
        loop {
            let records = consumer.next().await;
            consumer.done(&records);
            for record in records {
                drop(read.send((name, record)));
            }
        }
    }))
}

/// Writes a record under each of these keys to each topic.
async fn write(stack: &Stack, topics: &[String], keys: &BTreeSet<String>) {
    let record = |topic: &String, key: &String| Outgoing::new(topic.clone(), key.as_bytes(), "{}");
    let all = topics.iter().flat_map(|topic| keys.iter().map(|key| record(topic, key)));
    stack.producer.send(all).await.unwrap();
}

/// The keys of this many, and of this round of the test.
fn keys(round: usize, count: usize) -> BTreeSet<String> {
    (0..count).map(|number| format!("K-{round}-{number}")).collect()
}

/// Waits until records under all of these keys were read from all topics; tells who read which.
async fn readers(
    read: &mut UnboundedReceiver<Read>,
    topics: &[String],
    keys: &BTreeSet<String>,
) -> HashMap<(String, String), &'static str> {
    let (end, mut seen) = (Instant::now() + LIMIT, HashMap::new());
    while seen.len() < keys.len() * topics.len() {
        let next = timeout_at(end, read.recv()).await;
        let (name, record) =
            next.unwrap_or_else(|_| panic!("{} of {} were read", seen.len(), keys.len())).unwrap();
        let key = record.key.unwrap();
        let place = i32::try_from(place_of(&key)).unwrap() % PARTITIONS;
        assert_eq!(record.partition, place, "a key lies where its place says");
        let key = String::from_utf8(key).unwrap();
        if keys.contains(&key) {
            seen.insert((key, record.topic), name);
        }
    }
    seen
}

/// Writes and reads until both have something.
async fn both(
    stack: &Stack,
    read: &mut UnboundedReceiver<Read>,
    topics: &[String],
) -> HashMap<(String, String), &'static str> {
    let end = Instant::now() + LIMIT;
    for round in 1.. {
        let keys = keys(round, 40);
        write(stack, topics, &keys).await;
        let seen = readers(read, topics, &keys).await;
        if seen.values().collect::<BTreeSet<_>>().len() == 2 {
            return seen;
        }
        assert!(Instant::now() < end, "one of them reads nothing");
    }
    unreachable!("rounds do not end")
}

/// One that has all to itself, and what it has taken.
async fn alone(stack: &Stack, topics: &[String]) -> (BatchConsumer, Vec<Record>) {
    let first = join(stack, "1", topics).await;
    write(stack, topics, &keys(0, 40)).await;
    let taken = first.next().await;
    (first, taken)
}

#[tokio::test]
async fn what_has_one_key_goes_to_one_process_whatever_its_topic() {
    let stack = Stack::running().unwrap();
    let topics = ["TOGETHER-A", "TOGETHER-B", "TOGETHER-C"].map(unique);
    let (tell, mut read) = unbounded_channel();
    let _first = read_on("first", join(&stack, "1", &topics).await, tell.clone());
    let _second = read_on("second", join(&stack, "2", &topics).await, tell);
    both(&stack, &mut read, &topics).await;
    // Once more: it is shared out now.
    let seen = both(&stack, &mut read, &topics).await;
    for ((key, topic), name) in &seen {
        let elsewhere = seen[&(key.clone(), topics[0].clone())];
        assert_eq!(*name, elsewhere, "{key} of {topic}");
    }
    let firsts = seen.values().filter(|name| **name == "first").count();
    let third = seen.len() / 3;
    assert!((third..=third * 2).contains(&firsts), "{firsts} of {}: about half", seen.len());
}

#[tokio::test]
async fn others_read_in_place_of_one_that_hangs_until_it_is_back() {
    let stack = Stack::running().unwrap();
    let topics = [unique("HANGS")];
    let (tell, mut read) = unbounded_channel();
    let (first, _) = alone(&stack, &topics).await;
    let _second = read_on("second", join(&stack, "2", &topics).await, tell.clone());
    // The first one takes nothing any more: all of it is the other's, what it has in hand too.
    let all = keys(0, 40);
    write(&stack, &topics, &all).await;
    readers(&mut read, &topics, &all).await;
    let _first = read_on("first", first, tell);
    both(&stack, &mut read, &topics).await;
}

/// Its name is still that of its ghost then.
#[tokio::test]
async fn one_that_hangs_a_little_too_long_reads_again_too() {
    let stack = Stack::running().unwrap();
    let topics = [unique("LATE")];
    let (tell, mut read) = unbounded_channel();
    let (first, taken) = alone(&stack, &topics).await;
    first.done(&taken);
    let _second = read_on("second", join(&stack, "2", &topics).await, tell.clone());
    // It is this moment that matters: no longer a member, and its session not over.
    tokio::time::sleep(HANGS + Duration::from_secs(1)).await;
    let _first = read_on("first", first, tell);
    both(&stack, &mut read, &topics).await;
}
