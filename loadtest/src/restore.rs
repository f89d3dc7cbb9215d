//! The aggregator's database is lost and restored from an older copy, as `docs/operations.md` says: pages take the
//! restored state, what Kafka still has comes back, and nobody is told anything twice.

mod database;
mod told;

use crate::expected;
use crate::histories::{History, histories, shuffled};
use crate::settle;
use anyhow::{Context, ensure};
use database::Database;
use devstack::client::{LiveClient, Rest};
use devstack::host::term;
use devstack::manifest::ManifestFile;
use devstack::run::stack::Stack;
use devstack::shop::native::Native;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use service_kit::kafka::{Outgoing, Producer};
use std::time::Duration;
use tokio::sync::watch::{self, Sender};
use tokio::task::JoinSet;
use tokio::time::Instant;
use told::{Told, told};

/// Everything is as it should be within this.
const LIMIT: Duration = Duration::from_mins(1);
/// A letter too many would have come by then.
const LATE: Duration = Duration::from_secs(5);
/// `raise-versions` adds so much at least; no order comes this far by itself.
const RAISED: u64 = 1_000_000;

pub(crate) async fn prove(stack: &Stack, records: usize) -> anyhow::Result<()> {
    let (manifest, histories) = (&stack.manifest, histories("RESTORE", records));
    let (rest, all) = (Rest::new(manifest.get())?, shuffled(&histories, 17));
    let database = Database::of(manifest.get())?;
    stack.others().await?;
    let aggregator = stack.aggregator(0).await?;
    let (early, late) = all.split_at(all.len() / 2);
    write(manifest, early).await?;
    database.copy().await?;
    term::line(&format!("\n  copied after {} of {} records", early.len(), all.len()));
    write(manifest, late).await?;
    settle::timelines(&rest, &histories, LIMIT).await?;
    let before_that = told(&rest, &histories).await?;
    let (mut pages, order) = (JoinSet::new(), &histories.first().context("no history")?.order);
    let page = open(manifest, &rest, order).await?;
    let (show, mut shown) = watch::channel(0);
    pages.spawn(follow(page, format!("order:{order}"), show));
    aggregator.end().await;
    let before = database.events().await?;
    database.restore().await?;
    let old = database.events().await?;
    ensure!(0 < old && old < before, "the copy has {old} of {before} events");
    term::line(&format!("  restored: {old} of {before} events"));
    database.tool("raise-versions").await?;
    from_the_beginning(manifest).await?;
    let (back, _aggregator) = (Instant::now(), stack.aggregator(0).await?);
    for history in &histories {
        come_back(&rest, history).await?;
    }
    let newest = rest.wait_version(order, RAISED, LIMIT).await?["version"].as_u64();
    let shows = shown.wait_for(|shown| Some(*shown) >= newest);
    tokio::time::timeout(LIMIT, shows).await.context("a page waits")?.context("a page ended")?;
    let (count, seconds) = (histories.len(), back.elapsed().as_secs_f64());
    term::line(&format!(
        "  {count} timelines equal the fold of their records again after {seconds:.1} s"
    ));
    term::line("  a page that was open all the while shows the newest version");
    // One too many would come late.
    tokio::time::sleep(LATE).await;
    let again = Told::so_far(&rest, &histories).await?;
    ensure!(again == before_that, "told {again}, before {before_that}");
    term::line(&format!("  told {again}, the same as before"));
    Ok(())
}

async fn write(manifest: &ManifestFile, records: &[Native]) -> anyhow::Result<()> {
    let producer = Producer::new(&manifest.get().kafka_brokers, "prove-restore")?;
    let all: Vec<Outgoing> = records.iter().map(|r| Outgoing::new(r.topic, "", r.body())).collect();
    Ok(producer.send(&all).await?)
}

/// Waits until a timeline is the fold of its records again, above what was ever published of it. (A gateway that
/// misses the aggregator may say so for a while.)
async fn come_back(rest: &Rest, history: &History) -> anyhow::Result<()> {
    let end = Instant::now() + LIMIT;
    loop {
        let stored = rest.wait_version(&history.order, RAISED, Duration::from_secs(5)).await;
        let same = stored.and_then(|stored| expected::compare(history, &stored));
        if same.is_ok() || Instant::now() > end {
            return same;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Opens a page of an order.
async fn open(manifest: &ManifestFile, rest: &Rest, order: &str) -> anyhow::Result<LiveClient> {
    let token = rest.token("C-PAGE", &[order]).await?;
    let gateway = manifest.get().gateways.first().context("no gateway")?.clone();
    let mut client = LiveClient::connect(&gateway, &token).await?;
    client.subscribe(&format!("order:{order}"), None).await?;
    Ok(client)
}

/// Keeps a page open, and says which version it shows.
async fn follow(mut page: LiveClient, channel: String, show: Sender<u64>) -> anyhow::Result<()> {
    loop {
        let next = *show.borrow() + 1;
        show.send_replace(page.wait_version(&channel, next, 3 * LIMIT).await?.version());
    }
}

/// The group reads the log from its beginning: what `kafka-consumer-groups.sh --reset-offsets` does. Kafka counts a
/// member for six seconds more, and refuses until then.
async fn from_the_beginning(manifest: &ManifestFile) -> anyhow::Result<()> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", manifest.get().kafka_brokers)
        .set("group.id", "aggregator")
        .create()?;
    let topics = consumer.fetch_metadata(None, Duration::from_secs(10))?;
    let mut offsets = TopicPartitionList::new();
    for topic in topics.topics().iter().filter(|topic| topic.name().starts_with("source.")) {
        for partition in topic.partitions() {
            offsets.add_partition_offset(topic.name(), partition.id(), Offset::Offset(0))?;
        }
    }
    let end = Instant::now() + LIMIT;
    loop {
        let done = consumer.commit(&offsets, CommitMode::Sync);
        if done.is_ok() || Instant::now() > end {
            return done.context("the group still has a member");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
