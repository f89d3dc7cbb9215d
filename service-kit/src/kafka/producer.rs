//! The producer: idempotent, acknowledged by all replicas.

use super::client;
use futures_util::future::join_all;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer as _};
use std::time::Duration;

/// One record to write.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Topic.
    pub topic: String,
    /// Key: records of one key stay in order.
    pub key: Vec<u8>,
    /// Value.
    pub value: Vec<u8>,
    /// Headers.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Outgoing {
    /// A record without headers.
    #[must_use]
    pub fn new(
        topic: impl Into<String>,
        key: impl Into<Vec<u8>>,
        value: impl Into<Vec<u8>>,
    ) -> Self {
        Self { topic: topic.into(), key: key.into(), value: value.into(), headers: Vec::new() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// Writes records; cheap to clone.
#[derive(Clone)]
pub struct Producer {
    inner: FutureProducer,
}

impl Producer {
    /// A producer for whoever waits for each record; it connects by itself.
    ///
    /// # Errors
    /// When the broker list is no broker list.
    pub fn new(brokers: &str, name: &str) -> Result<Self, KafkaError> {
        // As Kafka's own client since 4.0 (KIP-1030). A reader gets whole batches: small ones let it
        // read all partitions side by side.
        Self::with(brokers, name, "5", "131072")
    }

    /// A producer for many records at a time. librdkafka spins the last millisecond of each wait
    /// away: with 5 ms that was half of what a record cost its threads. A broker's work is by the request,
    /// and a request has one partition's batch: the fewer, the less. (Half of what a topic takes at a time
    /// by default.)
    ///
    /// # Errors
    /// When the broker list is no broker list.
    pub fn of_many(brokers: &str, name: &str) -> Result<Self, KafkaError> {
        Self::with(brokers, name, "20", "524288")
    }

    fn with(brokers: &str, name: &str, linger: &str, batch: &str) -> Result<Self, KafkaError> {
        let inner = client(brokers, name)
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("linger.ms", linger)
            .set("batch.size", batch)
            .set("compression.type", "none")
            .set("delivery.timeout.ms", "30000")
            // A topic that is not there is told as such before that time is over.
            .set("topic.metadata.propagation.max.ms", "10000")
            .create()?;
        Ok(Self { inner })
    }

    /// Writes all of them, those of one key in order, and returns when Kafka has them.
    ///
    /// # Errors
    /// When one of them was not taken within 30 s; others may have been.
    pub async fn send(&self, records: &[Outgoing]) -> Result<(), KafkaError> {
        self.send_each(records).await.into_iter().collect()
    }

    /// The same, and tells of each what became of it.
    pub async fn send_each(&self, records: &[Outgoing]) -> Vec<Result<(), KafkaError>> {
        let mut sent = Vec::with_capacity(records.len());
        for record in records {
            sent.push(self.enqueue(record).await);
        }
        join_all(sent.into_iter().map(|delivery| async {
            match delivery?.await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err((error, _))) => Err(error),
                Err(_) => Err(KafkaError::Canceled),
            }
        }))
        .await
    }

    /// Puts the record in the client's queue; waits while that is full.
    async fn enqueue(
        &self,
        record: &Outgoing,
    ) -> Result<rdkafka::producer::DeliveryFuture, KafkaError> {
        loop {
            let headers = record.headers.iter().fold(OwnedHeaders::new(), |all, (key, value)| {
                all.insert(Header { key, value: Some(value) })
            });
            let message = FutureRecord::to(&record.topic).key(&record.key).payload(&record.value);
            match self.inner.send_result(message.headers(headers)) {
                Ok(delivery) => return Ok(delivery),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Err((error, _)) => return Err(error),
            }
        }
    }

    /// Waits until the client's queue is empty. Blocks; for the end of a program.
    pub fn flush(&self, limit: Duration) {
        if let Err(error) = self.inner.flush(limit) {
            tracing::warn!(%error, "records were left in the queue");
        }
    }
}
