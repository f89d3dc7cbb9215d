//! Fills the topics: lives of all kinds, each as far as it has come by now, with news of vendors of
//! every kind among it.

use super::arrival::{Arrivals, Told};
use crate::expected;
use crate::histories::{History, chance_of, history, mixed};
use crate::sample::{SAMPLES, Sample};
use aggregator::draft::Draft;
use chrono::{DateTime, Utc};
use devstack::manifest::ManifestFile;
use devstack::shop::native::Native;
use serde_json::Value;
use service_kit::clock;
use service_kit::kafka::{Outgoing, Producer};
use std::collections::HashSet;

/// One in so many orders is looked at in the end.
const SAMPLE: usize = 50;
/// Orders that are made at a time, so that they need not all lie in memory.
const PORTION: usize = 2_000;
/// Records that are sent together: a partition's share of them is a batch of Kafka's.
const TOGETHER: usize = 4_000;
/// Vendors that tell something of an order, each order's the next ones.
const VENDORS: usize = 2;
/// The shop's own systems come first among the samples: a life is full of them.
const OWN: usize = 5;

/// In which order records are written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sequence {
    /// As a shop's systems write them.
    AsItHappens,
    /// In any, within [`PORTION`] orders: half of an order's records come before it is placed.
    Any,
}

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
        sequence: Sequence,
    ) -> anyhow::Result<Self> {
        let producer = Producer::new(&manifest.get().kafka_brokers, "prove-throughput")?;
        let mut feed =
            Self { prefix: prefix.to_owned(), records: 0, orders, distinct: 0, sample: Vec::new() };
        let mut arrivals = Arrivals::new(7);
        for from in (0..orders).step_by(PORTION) {
            let numbers = from..(from + PORTION).min(orders);
            let lives: Vec<History> = numbers.map(|number| under_way(prefix, number)).collect();
            let told =
                lives.iter().map(|life| feed.told(life)).collect::<anyhow::Result<Vec<_>>>()?;
            let list = match sequence {
                Sequence::AsItHappens => arrivals.until(from, told),
                Sequence::Any => any(told),
            };
            feed.send(&producer, list).await?;
            feed.sample.extend(lives.into_iter().step_by(SAMPLE).filter(tells_its_times));
        }
        feed.send(&producer, arrivals.rest()).await?;
        Ok(feed)
    }

    /// An order's records, each under the name by which it calls the order, as what comes in by webhook.
    fn told(&mut self, life: &History) -> anyhow::Result<Vec<Told>> {
        let (mut all, mut keys) = (Vec::with_capacity(life.records.len()), HashSet::new());
        for record in &life.records {
            let body = record.body();
            let drafts = expected::drafts(record.topic, &body)?;
            let name = drafts.first().map_or("", Draft::named);
            all.push(Told { at: record.at, record: Outgoing::new(record.topic, name, body) });
            keys.extend(drafts.iter().map(Draft::key));
        }
        self.distinct += i64::try_from(keys.len())?;
        Ok(all)
    }

    async fn send(&mut self, producer: &Producer, list: Vec<Outgoing>) -> anyhow::Result<()> {
        self.records += list.len();
        for chunk in list.chunks(TOGETHER) {
            producer.send(chunk).await?;
        }
        Ok(())
    }
}

/// In a random order, every seventh twice.
fn any(lives: Vec<Vec<Told>>) -> Vec<Outgoing> {
    mixed(lives.into_iter().flatten().map(|told| told.record).collect(), 7)
}

/// An order that has come some way: its first records, and what vendors say of it.
fn under_way(prefix: &str, number: usize) -> History {
    let mut life = history(prefix, number);
    let mut random = fastrand::Rng::with_seed(number as u64);
    life.records.truncate(random.usize(1..=life.records.len()));
    let vendors = SAMPLES[OWN..].iter().cycle().skip(number * VENDORS % (SAMPLES.len() - OWN));
    for sample in vendors.take(VENDORS) {
        let at = life.records[random.usize(..life.records.len())].at;
        life.records.push(told(sample, &life.order, at));
    }
    life
}

/// What GHSV writes has no time: it happens when it is received, so nobody can say beforehand what
/// comes out.
fn tells_its_times(life: &History) -> bool {
    life.records.iter().all(|record| record.topic != "source.ghsv")
}

/// An order's number in a vendor's own books: 52 bits, hardly ever one for two orders.
fn number_of(order: &str) -> u64 {
    chance_of(order).u64(..1 << 52)
}

/// A vendor's record, of this order and of a parcel of its own.
fn told(sample: &Sample, order: &str, at: DateTime<Utc>) -> Native {
    let mut body = sample.record.trim().replace("T-1", order);
    for number in ["G1", "E1", "S1", "L7", "N1", "V1", "pi_1", "p1"] {
        body = body.replace(&format!("\"{number}\""), &format!("\"{number}-{order}\""));
    }
    let own = number_of(order);
    for number in [1, 7, 13] {
        body = body.replace(&format!("{{\"id\":{number},"), &format!("{{\"id\":{own},"));
    }
    // The samples are of one day: what a parcel did before its order was there would not count.
    let day = clock::now().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let body = body.replace("2026-11-22T10:00:00Z", &day);
    // Printify names the order by a number of its own; in a shop that sends its number along, by that.
    let body = body.replace("\"shop_id\":1", &format!("\"external_id\":\"{order}\""));
    let value = serde_json::from_str(&body).unwrap_or(Value::String(body));
    Native { at, topic: sample.topic, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_that_follow_each_other_have_numbers_of_their_own() {
        let orders = 0..50_000;
        let numbers = orders.clone().map(|number| number_of(&format!("LOAD-{number}")));
        assert_eq!(numbers.collect::<HashSet<_>>().len(), orders.len());
    }
}
