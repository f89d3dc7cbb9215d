//! The consumer: reads what is there in one go, and stores offsets only after the commit of
//! what was read, so that a crash repeats records and never loses one.

use super::client;
use super::record::{Portion, Reached, Record};
use super::topic::ensure_topics;
use crate::config::{Kafka, SESSION};
use crate::health::Health;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use std::panic;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Fewer records at hand are not enough, however few are taken at a time: by the next time that Kafka is asked they
/// would be gone.
const MUCH: usize = 3_200;

/// Where there are more, there is much to read: company is worth its wait.
const FEW: usize = 64;

/// What clocks and timers may differ by.
const MARGIN: Duration = Duration::from_secs(1);

/// How often Kafka is asked whether it is there.
const ASKED_EVERY: Duration = Duration::from_secs(5);
/// And how long is waited for the answer; the end of a process waits for it too.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);

/// An error of the client, which is told once: reading goes on, unless it is the last.
fn seen(error: &KafkaError) {
    if let KafkaError::MessageConsumptionFatal(_) = error {
        panic!("Kafka lets this instance read no more: {error}");
    }
    tracing::warn!(%error, "reading from Kafka is tried again");
}

/// Reads topics in batches.
pub struct BatchConsumer {
    inner: Arc<StreamConsumer>,
    /// One that it reads.
    topic: String,
    portion: Portion,
    /// Others wait so long for who takes nothing.
    patience: Duration,
    /// When something was taken last.
    taken: Mutex<Instant>,
}

impl BatchConsumer {
    /// Joins the group and subscribes. The instance name makes a process that was killed take
    /// its partitions back as soon as it is up again, instead of waiting for its ghost's session.
    ///
    /// # Errors
    /// When a setting is refused.
    fn subscribe(
        config: &Kafka,
        group: &str,
        topics: &[String],
        portion: Portion,
    ) -> Result<Self, KafkaError> {
        let instance = format!("{group}-{}", config.kafka_instance);
        let inner: StreamConsumer = client(&config.kafka_brokers, &instance)
            .set("group.id", group)
            .set("group.instance.id", &instance)
            .set("session.timeout.ms", SESSION.as_millis().to_string())
            .set("heartbeat.interval.ms", "2000")
            // The heartbeat tells that we are there, this that we go on: others wait so long for one that hangs.
            // While a database is away for longer, nobody reads; then all come back.
            .set("max.poll.interval.ms", config.kafka_max_poll_interval.as_millis().to_string())
            // Partitions of one number go to one process, whatever their topic, and so what is said of one order
            // under its name: nobody else has its history, or waits for its lock (ADR 19).
            .set("partition.assignment.strategy", "range")
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.offset.store", "false")
            .set("enable.auto.commit", "true")
            .set("auto.commit.interval.ms", "1000")
            // Of each partition little at a time, so that one answer has room for many: an order's
            // records lie in many, and those that run ahead wait in the database. (What a producer
            // sent in one larger batch comes all the same, alone: KIP-74.)
            .set("fetch.message.max.bytes", "262144")
            .set("fetch.max.bytes", "8388608")
            .set("queued.max.messages.kbytes", "4096")
            // Who has as many as it takes in two goes asks for more only now and then: by then Kafka has much, and
            // answers at once. (The number holds for all partitions together: they share one queue.)
            .set("queued.min.messages", (2 * portion.records).max(MUCH).to_string())
            .set("fetch.queue.backoff.ms", "100")
            // Under load an answer for each record would cost more than the record: the broker
            // waits for some together. Each request names every partition that is read, and each is looked into twice
            // if that wait ends it: more often than this costs a broker that has nothing to say, and one that has
            // to say half as much to each of two.
            .set("fetch.min.bytes", "65536")
            .set("fetch.wait.max.ms", "15")
            .set("topic.metadata.refresh.interval.ms", "30000")
            .create()?;
        inner.subscribe(&topics.iter().map(String::as_str).collect::<Vec<_>>())?;
        let topic = topics.first().cloned().unwrap_or_default();
        let (patience, taken) = (config.kafka_max_poll_interval, Mutex::new(Instant::now()));
        Ok(Self { inner: Arc::new(inner), topic, portion, patience, taken })
    }

    /// Creates the topics that are missing and joins the group; while Kafka is away, says so and
    /// goes on trying.
    pub async fn join(
        config: &Kafka,
        group: &str,
        needed: &[String],
        read: &[String],
        portion: Portion,
        health: &Health,
    ) -> Self {
        health.bad("intake", "not subscribed yet");
        loop {
            let (partitions, replication) = (config.kafka_partitions, config.kafka_replication);
            let there = ensure_topics(&config.kafka_brokers, needed, partitions, replication).await;
            match there.and_then(|()| Self::subscribe(config, group, read, portion)) {
                Ok(consumer) => {
                    health.good("intake");
                    return consumer;
                }
                Err(error) => tracing::warn!(%error, "Kafka is away; trying again"),
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// Asks Kafka now and then whether it is there, says so in the health, and tells each time that it is not:
    /// to who only reads, silence looks like nothing to read.
    pub async fn watch(&self, health: &Health, away: impl Fn()) {
        let mut missed = 0;
        loop {
            tokio::time::sleep(ASKED_EVERY).await;
            let (inner, topic) = (self.inner.clone(), self.topic.clone());
            let asked = tokio::task::spawn_blocking(move || {
                inner.fetch_metadata(Some(&topic), ANSWERED_WITHIN).map(drop)
            });
            match asked.await {
                Ok(Ok(())) => {
                    missed = 0;
                    health.good("intake");
                }
                Ok(Err(error)) => {
                    tracing::warn!(%error, "Kafka does not answer");
                    away();
                    missed += 1;
                    // Once may be a broker that has much to do.
                    if missed > 1 {
                        health.bad("intake", "Kafka does not answer");
                    }
                }
                Err(error) if error.is_panic() => panic::resume_unwind(error.into_panic()),
                Err(_) => return,
            }
        }
    }

    /// Waits for a record, then takes what is there and what comes in a moment. An error of the
    /// client is reported, and reading goes on.
    ///
    /// # Panics
    /// When the client can never read again (another one of the same instance name was let in, say): the
    /// process ends, and is started anew or seen.
    pub async fn next(&self) -> Vec<Record> {
        self.wait_for_the_ghost().await;
        let records = self.take().await;
        *self.taken() = Instant::now();
        records
    }

    /// Who took nothing for too long has left the group, where a ghost has its name until the session is over.
    /// To tell how far one has read meanwhile would be refused for good, as if another process had the name.
    async fn wait_for_the_ghost(&self) {
        let taken = *self.taken();
        if taken.elapsed() + MARGIN > self.patience {
            tokio::time::sleep_until(taken + self.patience + SESSION + MARGIN).await;
        }
    }

    fn taken(&self) -> MutexGuard<'_, Instant> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take(&self) -> Vec<Record> {
        let portion = self.portion;
        let first = loop {
            match self.inner.recv().await {
                Ok(message) => break Record::read(&message),
                Err(error) => seen(&error),
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        let end = Instant::now() + portion.linger;
        let mut bytes = first.value.len();
        let mut records = vec![first];
        while records.len() < portion.records && bytes < portion.bytes {
            let few = records.len() < FEW;
            let until = if few { end.min(Instant::now() + portion.pause) } else { end };
            let Ok(next) = timeout_at(until, self.inner.recv()).await else { break };
            let message = match next {
                Ok(message) => message,
                Err(error) => {
                    seen(&error);
                    break;
                }
            };
            bytes += message.payload_len();
            records.push(Record::read(&message));
        }
        records
    }

    /// Remembers that these records are done; Kafka is told within a second.
    pub fn done(&self, records: &[Record]) {
        self.reached(&Reached::by(records));
    }

    /// Remembers that everything up to here is done; Kafka is told within a second.
    pub fn reached(&self, reached: &Reached) {
        for ((topic, partition), offset) in &reached.0 {
            // Refused when the partition went to another member meanwhile: that one reads the
            // records again, and they are known.
            if let Err(error) = self.inner.store_offset(topic, *partition, *offset) {
                tracing::debug!(%error, topic, partition, "the partition is not ours any more");
            }
        }
    }
}
