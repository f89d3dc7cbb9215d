//! Fills the topics: lives of all kinds, each as far as it has come by now, all their records in a
//! random order, every seventh twice.

use crate::expected;
use crate::histories::{History, history, shuffled};
use devstack::manifest::ManifestFile;
use service_kit::kafka::{Outgoing, Producer};

/// One in so many orders is looked at in the end.
const SAMPLE: usize = 50;
/// Orders that are made at a time, so that they need not all lie in memory.
const PORTION: usize = 2_000;

/// What was written.
pub(crate) struct Feed {
    /// How its orders' numbers begin.
    pub(crate) prefix: String,
    /// Records, repetitions too.
    pub(crate) records: usize,
    /// How many orders.
    pub(crate) orders: usize,
    /// Events that come of them.
    pub(crate) distinct: i64,
    /// Some of the orders.
    pub(crate) sample: Vec<History>,
}

impl Feed {
    /// Writes the records of so many orders.
    pub(crate) async fn fill(
        manifest: &ManifestFile,
        prefix: &str,
        orders: usize,
    ) -> anyhow::Result<Self> {
        let producer = Producer::new(&manifest.get().kafka_brokers, "prove-throughput")?;
        let mut feed =
            Self { prefix: prefix.to_owned(), records: 0, orders, distinct: 0, sample: Vec::new() };
        for from in (0..orders).step_by(PORTION) {
            let numbers = from..(from + PORTION).min(orders);
            let lives: Vec<History> = numbers.map(|number| under_way(prefix, number)).collect();
            let list = shuffled(&lives, 7);
            feed.records += list.len();
            for chunk in list.chunks(2_000) {
                let chunk = chunk.iter().map(|r| Outgoing::new(r.topic, "", r.value.to_string()));
                producer.send(&chunk.collect::<Vec<_>>()).await?;
            }
            for life in &lives {
                feed.distinct += i64::try_from(expected::keys(life)?)?;
            }
            feed.sample.extend(lives.into_iter().step_by(SAMPLE));
        }
        Ok(feed)
    }
}

/// An order that has come some way: its first records.
fn under_way(prefix: &str, number: usize) -> History {
    let mut life = history(prefix, number);
    let mut random = fastrand::Rng::with_seed(number as u64);
    life.records.truncate(random.usize(1..=life.records.len()));
    life
}
