//! What is read: a record, how many are taken at a time, and how far some reach.

use rdkafka::message::{BorrowedMessage, Headers, Message};
use std::collections::HashMap;
use std::time::Duration;

/// One record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Value; empty for a tombstone.
    pub value: Vec<u8>,
    /// Headers with their last values.
    pub headers: HashMap<String, Vec<u8>>,
    /// When it was written, in Unix milliseconds, as far as that is known.
    pub written_ms: Option<i64>,
}

impl Record {
    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    pub(super) fn read(message: &BorrowedMessage<'_>) -> Self {
        let headers = message.headers().map(|all| {
            let pairs = all.iter().filter_map(|h| Some((h.key.to_owned(), h.value?.to_vec())));
            pairs.collect()
        });
        Self {
            topic: message.topic().to_owned(),
            partition: message.partition(),
            offset: message.offset(),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().unwrap_or_default().to_vec(),
            headers: headers.unwrap_or_default(),
            written_ms: message.timestamp().to_millis(),
        }
    }
}

/// How much is taken at a time.
#[derive(Debug, Clone, Copy)]
pub struct Portion {
    /// Records.
    pub records: usize,
    /// Bytes of their values.
    pub bytes: usize,
    /// How long to wait for more after the first: a few records together cost little more than one.
    pub linger: Duration,
    /// And after each, as long as there are few: what came in one answer of Kafka's is handed over in one go.
    pub pause: Duration,
}

/// How far some records reach, by topic and partition.
#[derive(Debug, Clone, Default)]
pub struct Reached(pub(super) HashMap<(String, i32), i64>);

impl Reached {
    /// By these records.
    #[must_use]
    pub fn by(records: &[Record]) -> Self {
        let mut newest: HashMap<(String, i32), i64> = HashMap::new();
        for record in records {
            let offset = newest.entry((record.topic.clone(), record.partition)).or_default();
            *offset = (*offset).max(record.offset);
        }
        Self(newest)
    }
}
