//! Two aggregators share the index of what is due and the list of who is asked: they stand still
//! until the day of some orders is over, and each is killed while they catch up.

mod order;

use crate::{signal, versions};
use anyhow::ensure;
use devstack::host::term;
use devstack::manifest::ManifestFile;
use devstack::run::stack::Stack;
use nix::sys::signal::Signal;
use order::{Fate, Order};
use service_kit::kafka::Producer;
use sqlx::{PgPool, Row};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// An order is looked at this long after its last news: time enough to write them all.
pub(crate) const GRACE: &str = "30s";
/// Both stand still until everything is due, and the shorter days are over.
const STANDSTILL: Duration = Duration::from_secs(45);
/// What was claimed by a process that died is asked again after two minutes.
const LIMIT: Duration = Duration::from_mins(8);
/// Said by one of the two when it is killed, of what is to be said.
const KILLS: [f64; 2] = [0.1, 0.4];

/// Wanted: each is told once what is still true, nobody what is not, and everybody is asked on.
pub(crate) async fn prove(stack: &Stack, count: usize) -> anyhow::Result<()> {
    let manifest = &stack.manifest;
    let pool = PgPool::connect(&manifest.get().database_urls["aggregator"]).await?;
    for slot in 0..2 {
        stack.aggregator(slot).await?;
    }
    let orders: Vec<Order> = (0..count).map(Order::new).collect();
    let producer = Producer::new(&manifest.get().kafka_brokers, "prove-due")?;
    order::place(manifest, &producer, &orders).await?;
    until(&pool, "every order is there", PLACED, i64::try_from(count)?).await?;
    ensure!(said(&pool).await? == 0, "something was said before its time: fewer orders, please");
    stand_still(manifest).await?;
    let wanted = orders.iter().filter(|order| order.fate == Fate::ComesTomorrow).count();
    die(manifest, &pool, wanted).await?;
    until(&pool, "nothing is due any more", NOTHING_DUE, 1).await?;
    told(&pool, &orders).await?;
    order::arrive(manifest, &orders).await?;
    let asked = orders.iter().filter(|order| order.asked()).count();
    until(&pool, "every parcel that is asked about is there", DELIVERED, i64::try_from(asked)?)
        .await?;
    term::line(&format!("  {asked} parcels were asked about until they were there"));
    let newest = newest(&pool).await?;
    versions::without_a_gap(&versions::published(manifest).await?, &newest)
}

/// Orders whose three records are stored.
const PLACED: &str = "select count(*) from timelines where order_id like 'DUE-%' and version >= 3";
const NOTHING_DUE: &str = "select count(*) where not exists (
    select from due where kind = 'tomorrow' and at <= now())";
const DELIVERED: &str = "select count(*) from timelines where status = 'shipment.delivered'";

async fn said(pool: &PgPool) -> anyhow::Result<i64> {
    let said = "select count(*) from events where milestone = 'delivery.tomorrow'";
    Ok(sqlx::query(said).fetch_one(pool).await?.get(0))
}

/// Waits until a count is as high as wanted.
async fn until(pool: &PgPool, what: &str, count: &'static str, wanted: i64) -> anyhow::Result<()> {
    let (end, mut spoken) = (Instant::now() + LIMIT, Instant::now());
    loop {
        let there: i64 = sqlx::query(count).fetch_one(pool).await?.get(0);
        if there >= wanted {
            return Ok(());
        }
        if spoken.elapsed() > Duration::from_secs(20) {
            spoken = Instant::now();
            term::line(&format!("  until {what}: {there} of {wanted}"));
        }
        ensure!(Instant::now() < end, "it does not come that {what}: {there} of {wanted}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Nobody works, and the clock goes on.
async fn stand_still(manifest: &ManifestFile) -> anyhow::Result<()> {
    for slot in 0..2 {
        signal::send(manifest, "aggregator", slot, Signal::SIGSTOP)?;
    }
    term::line(&format!("\n  both aggregators stand still for {STANDSTILL:?}"));
    tokio::time::sleep(STANDSTILL).await;
    for slot in 0..2 {
        signal::send(manifest, "aggregator", slot, Signal::SIGCONT)?;
    }
    Ok(())
}

/// Kills one after the other while they catch up.
async fn die(manifest: &ManifestFile, pool: &PgPool, wanted: usize) -> anyhow::Result<()> {
    let end = Instant::now() + LIMIT;
    for (slot, share) in KILLS.into_iter().enumerate() {
        let wanted = f64::from(u32::try_from(wanted)?);
        let there = loop {
            let there = f64::from(i32::try_from(said(pool).await?)?);
            if there >= wanted * share {
                break there;
            }
            ensure!(Instant::now() < end, "{there} of {wanted} are told");
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        ensure!(there < wanted, "everything was told before the kill: more orders, please");
        signal::send(manifest, "aggregator", slot, Signal::SIGKILL)?;
        term::line(&format!("  kill -9 of aggregator {slot} when {there} of {wanted} were told"));
    }
    Ok(())
}

/// Each once whose delivery is still ahead, nobody else.
async fn told(pool: &PgPool, orders: &[Order]) -> anyhow::Result<()> {
    let rows = "select order_id, count(*) from events where milestone = 'delivery.tomorrow'
                group by order_id";
    let rows = sqlx::query(rows).fetch_all(pool).await?;
    let told: BTreeMap<String, i64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    for order in orders {
        let times = told.get(&order.id).copied().unwrap_or(0);
        let wanted = i64::from(order.fate == Fate::ComesTomorrow);
        ensure!(times == wanted, "{} was told {times} times, not {wanted}", order.id);
    }
    term::line(&format!(
        "  {} of {} orders were told once that they come; the others' day was over: not told",
        told.len(),
        orders.len()
    ));
    Ok(())
}

async fn newest(pool: &PgPool) -> anyhow::Result<BTreeMap<String, u64>> {
    let rows = "select order_id, version from timelines where order_id like 'DUE-%'";
    let rows = sqlx::query(rows).fetch_all(pool).await?;
    rows.iter().map(|row| Ok((row.get(0), u64::try_from(row.get::<i64, _>(1))?))).collect()
}
