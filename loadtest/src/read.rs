//! Reading timelines from the aggregator at a steady rate, while records flow in.

use crate::histories::{History, history, shuffled};
use crate::percentile::{at, line};
use crate::settle;
use anyhow::ensure;
use devstack::client::Rest;
use devstack::host::term;
use devstack::manifest::ManifestFile;
use reqwest::{Client, StatusCode};
use service_kit::kafka::{Outgoing, Producer};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Orders that are read.
const ORDERS: usize = 300;
/// Records a second that flow in meanwhile.
const INFLOW: u32 = 500;
/// What 99 of 100 reads may take, in milliseconds.
const GOAL: f64 = 20.0;

pub(crate) async fn prove(manifest: &ManifestFile, rate: u32, seconds: u64) -> anyhow::Result<()> {
    let all = manifest.get();
    let producer = Producer::new(&all.kafka_brokers, "prove-read")?;
    let lives: Vec<History> = (0..ORDERS).map(|number| history("READ", number)).collect();
    for chunk in lives.chunks(50) {
        let records = chunk.iter().flat_map(|life| &life.records);
        let records: Vec<Outgoing> =
            records.map(|r| Outgoing::new(r.topic, "", r.body())).collect();
        producer.send(&records).await?;
    }
    let rest = Rest::new(manifest.get())?;
    // All of them: what is left of their making would be what is measured.
    settle::timelines(&rest, &lives, Duration::from_mins(1)).await?;
    // Made beforehand: on two cores the making would be what is measured.
    let others = others();
    let mut flow = JoinSet::new();
    flow.spawn(inflow(producer, others, seconds));
    let count = usize::try_from(u64::from(rate) * seconds)?;
    let (mut times, missed) = read(manifest, rate, count).await?;
    flow.abort_all();
    term::line(&format!("\n  {rate} reads/s for {seconds} s, while {INFLOW} records/s flow in"));
    term::line(&format!("  {}; {missed} without an answer", line(&mut times)));
    ensure!(missed == 0, "{missed} reads had no answer");
    ensure!(at(&times, 990) < GOAL, "p99 is {:.1} ms; under {GOAL} are wanted", at(&times, 990));
    Ok(())
}

/// Lives of other orders.
fn others() -> Vec<Outgoing> {
    let lives: Vec<History> = (0..800).map(|number| history("FLOW", number)).collect();
    let records = shuffled(&lives, 5).into_iter();
    records.map(|record| Outgoing::new(record.topic, "", record.body())).collect()
}

/// Writes them, over and over, by the clock.
async fn inflow(producer: Producer, records: Vec<Outgoing>, seconds: u64) -> anyhow::Result<()> {
    let start = Instant::now();
    let count = usize::try_from(u64::from(INFLOW) * seconds)?;
    let all: Vec<Outgoing> = records.iter().cycle().take(count).cloned().collect();
    for (n, chunk) in all.chunks(10).enumerate() {
        let due = Duration::from_secs(1) * u32::try_from(n * 10)? / INFLOW;
        tokio::time::sleep_until(start + due).await;
        producer.send(chunk).await?;
    }
    Ok(())
}

/// Open loop: a read begins when the clock says so, and its time counts from then.
async fn read(
    manifest: &ManifestFile,
    rate: u32,
    count: usize,
) -> anyhow::Result<(Vec<f64>, usize)> {
    let all = manifest.get();
    let client = Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?;
    let times: Arc<Mutex<Vec<f64>>> = Arc::default();
    let start = Instant::now() + Duration::from_millis(100);
    let mut reads = JoinSet::new();
    for n in 0..count {
        let due = start + Duration::from_secs(1) * u32::try_from(n)? / rate;
        tokio::time::sleep_until(due).await;
        let url = format!("{}/v1/orders/READ-{}/timeline", all.aggregator, n % ORDERS);
        let request = client.get(url).bearer_auth(&all.operator_key);
        let times = times.clone();
        reads.spawn(async move {
            let answer = request.send().await.ok()?;
            (answer.status() == StatusCode::OK).then_some(())?;
            answer.bytes().await.ok()?;
            let ms = due.elapsed().as_secs_f64() * 1000.0;
            times.lock().unwrap_or_else(PoisonError::into_inner).push(ms);
            Some(())
        });
    }
    while reads.join_next().await.is_some() {}
    let times = std::mem::take(&mut *times.lock().unwrap_or_else(PoisonError::into_inner));
    let missed = count - times.len();
    Ok((times, missed))
}
