//! The producer: idempotent, acknowledged by all replicas.

use super::client;
use super::delivery::{Deliveries, Place, Together};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord};
use std::borrow::{Borrow, Cow};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// One record to write.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// Topic.
    pub topic: Cow<'static, str>,
    /// Key: records of one key stay in order. None: they spread over the partitions.
    pub key: Option<Vec<u8>>,
    /// Value.
    pub value: Vec<u8>,
    /// Headers.
    pub headers: Vec<(Cow<'static, str>, Vec<u8>)>,
}

impl Outgoing {
    /// A record without headers. An empty key is none.
    #[must_use]
    pub fn new(
        topic: impl Into<Cow<'static, str>>,
        key: impl Into<Vec<u8>>,
        value: impl Into<Vec<u8>>,
    ) -> Self {
        let key = Some(key.into()).filter(|key| !key.is_empty());
        Self { topic: topic.into(), key, value: value.into(), headers: Vec::new() }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// What became of records is heard at once; this is how long nobody looks whether there is a producer any more.
/// The library cuts what is left of such a wait to whole milliseconds, so that its last one is spun away: with the
/// 100 ms of its own thread nearly 1 % of a core for each producer, for nothing.
const HEARD: Duration = Duration::from_secs(1);

/// Writes records; cheap to clone.
#[derive(Clone)]
pub struct Producer {
    inner: Arc<BaseProducer<Deliveries>>,
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

    /// A producer for many records at a time. With 5 ms, as of the other, waiting was half of what a record cost
    /// librdkafka's threads. A broker's work is by the request,
    /// and a request has one partition's batch: the fewer, the less. (Half of what a topic takes at a time
    /// by default.)
    ///
    /// # Errors
    /// When the broker list is no broker list.
    pub fn of_many(brokers: &str, name: &str) -> Result<Self, KafkaError> {
        Self::with(brokers, name, "40", "524288")
    }

    fn with(brokers: &str, name: &str, linger: &str, batch: &str) -> Result<Self, KafkaError> {
        let inner: BaseProducer<Deliveries> = client(brokers, name)
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("linger.ms", linger)
            .set("batch.size", batch)
            .set("compression.type", "none")
            // As Kafka's own client: what a shop's systems write under an order's number lies where ours does.
            .set("partitioner", "murmur2_random")
            // An order's state is some kilobytes: it is not copied once more into the request.
            .set("message.copy.max.bytes", "2048")
            .set("delivery.timeout.ms", "30000")
            // A topic that is not there is told as such before that time is over.
            .set("topic.metadata.propagation.max.ms", "10000")
            .create_with_context(Deliveries)?;
        let inner = Arc::new(inner);
        hear(&inner).map_err(|error| KafkaError::ClientCreation(error.to_string()))?;
        Ok(Self { inner })
    }

    /// Writes all of them, those of one key in order, and returns when Kafka has them. What is made on the way is
    /// not kept: the client has a copy.
    ///
    /// # Errors
    /// When one of them was not taken within 30 s; others may have been.
    pub async fn send<R: Borrow<Outgoing>>(
        &self,
        records: impl IntoIterator<Item = R>,
    ) -> Result<(), KafkaError> {
        self.send_each(records).await.into_iter().collect()
    }

    /// The same, and tells of each what became of it.
    pub async fn send_each<R: Borrow<Outgoing>>(
        &self,
        records: impl IntoIterator<Item = R>,
    ) -> Vec<Result<(), KafkaError>> {
        let (together, mut told) = (Arc::new(Together::default()), Vec::new());
        for record in records {
            let place = together.place(told.len());
            self.enqueue(record.borrow(), Box::new(place)).await;
            told.push(Ok(()));
        }
        for (number, error) in together.refused().await {
            told[number] = Err(error);
        }
        told
    }

    /// Puts the record in the client's queue; waits while that is full.
    async fn enqueue(&self, record: &Outgoing, mut place: Box<Place>) {
        loop {
            match self.inner.send(as_sent(record, place)) {
                Ok(()) => return,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    place = back.delivery_opaque;
                }
                Err((error, back)) => return back.delivery_opaque.came_to(Err(error)),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Hears what becomes of records, as long as there is somebody who sends some. What nobody waits for any more then
/// is given up.
fn hear(producer: &Arc<BaseProducer<Deliveries>>) -> std::io::Result<()> {
    let sent = Arc::downgrade(producer);
    let heard = move || {
        while let Some(producer) = sent.upgrade() {
            producer.poll(HEARD);
        }
    };
    thread::Builder::new().name("deliveries".to_owned()).spawn(heard).map(drop)
}

fn as_sent(record: &Outgoing, place: Box<Place>) -> BaseRecord<'_, [u8], [u8], Box<Place>> {
    let headers = record.headers.iter().fold(OwnedHeaders::new(), |all, (key, value)| {
        all.insert(Header { key, value: Some(value) })
    });
    let sent = BaseRecord::with_opaque_to(&record.topic, place);
    let sent = sent.payload(record.value.as_slice()).headers(headers);
    match &record.key {
        Some(key) => sent.key(key.as_slice()),
        None => sent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn nobody_hears_any_more_when_the_last_handle_is_gone() {
        let producer = Producer::new("127.0.0.1:1", "gone").unwrap();
        let inner = Arc::downgrade(&producer.inner);
        drop(producer);
        let end = Instant::now() + HEARD * 10;
        while inner.strong_count() > 0 {
            assert!(Instant::now() < end, "its thread goes on");
            thread::sleep(HEARD / 50);
        }
    }
}
