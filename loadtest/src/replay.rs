//! Many refused records, driven again: the run tells how far it is, can be stopped, and another one
//! does the rest. Each record is driven again once.

use anyhow::{Context, ensure};
use devstack::host::term;
use devstack::manifest::{Manifest, ManifestFile};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use service_kit::kafka::{Outgoing, Producer};
use sqlx::{PgPool, Row};
use std::time::Duration;
use tokio::time::Instant;

/// Each step takes at most this.
const LIMIT: Duration = Duration::from_mins(10);

pub(crate) async fn prove(file: &ManifestFile, count: u32) -> anyhow::Result<()> {
    let all = file.get();
    let pool = PgPool::connect(&all.database_urls["aggregator"]).await?;
    refuse(&all, count).await?;
    wait(&pool, "refused", i64::from(count)).await?;
    let operator = Operator { client: Client::builder().no_proxy().build()?, all };
    let first = operator.begin().await?;
    // Somewhere in the middle.
    let seen =
        operator.until(&first, |run| run["done"].as_i64() >= Some(i64::from(count / 10))).await?;
    ensure!(seen["state"] == "running", "over before it could be stopped: {seen}");
    operator.call(Method::DELETE, &first, None).await?;
    let stopped = operator.until(&first, |run| run["state"] == "stopped").await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let still = operator.read(&first).await?;
    ensure!(still["done"] == stopped["done"], "it was stopped and went on: {still}");
    term::line(&format!("  stopped at {} of {}", still["done"], still["total"]));
    let second = operator.begin().await?;
    let end = operator.until(&second, |run| run["state"] == "finished").await?;
    term::line(&format!("  another run drove {} of {} again", end["done"], end["total"]));
    // Nothing was mended: each that was driven again is refused again, once. (What the first run drove
    // is there anew when the second begins.)
    let driven = [&stopped, &end].iter().filter_map(|run| run["done"].as_i64()).sum::<i64>();
    wait(&pool, "known, the old ones and those refused again", i64::from(count) + driven).await?;
    let marked =
        "select count(*) from dead_letters where source = 'ems' and replayed_at is not null";
    let marked: i64 = sqlx::query(marked).fetch_one(&pool).await?.get(0);
    ensure!(marked == driven, "{marked} are marked, {driven} were driven again");
    Ok(())
}

/// Writes records that are refused.
async fn refuse(all: &Manifest, count: u32) -> anyhow::Result<()> {
    let producer = Producer::new(&all.kafka_brokers, "prove-replay")?;
    let numbers: Vec<u32> = (0..count).collect();
    for chunk in numbers.chunks(2_000) {
        let bad = chunk.iter().map(|number| {
            let value = json!({"tracking_code": "X", "order_code": "T-1", "status_code": 4,
                "datetime": format!("never {number}")});
            Outgoing::new("source.ems", number.to_string(), value.to_string())
        });
        producer.send(&bad.collect::<Vec<_>>()).await?;
    }
    Ok(())
}

/// Waits until so many refused records are known.
async fn wait(pool: &PgPool, what: &str, wanted: i64) -> anyhow::Result<()> {
    let started = Instant::now();
    loop {
        let known = sqlx::query("select count(*) from dead_letters where source = 'ems'");
        let known: i64 = known.fetch_one(pool).await?.get(0);
        if known >= wanted {
            let seconds = started.elapsed().as_secs_f64();
            term::line(&format!("  {known} records {what} after {seconds:.1} s"));
            // One too many would come late.
            tokio::time::sleep(Duration::from_secs(2)).await;
            let known = sqlx::query("select count(*) from dead_letters where source = 'ems'");
            let known: i64 = known.fetch_one(pool).await?.get(0);
            ensure!(known == wanted, "{known} instead of {wanted}");
            return Ok(());
        }
        ensure!(started.elapsed() < LIMIT, "{known} of {wanted} are {what}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Who may drive records again.
struct Operator {
    client: Client,
    all: Manifest,
}

impl Operator {
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> anyhow::Result<reqwest::Response> {
        let url = format!("{}{path}", self.all.aggregator);
        let mut request = self.client.request(method, url).bearer_auth(&self.all.operator_key);
        if let Some(body) = body {
            request = request.json(&body);
        }
        Ok(request.send().await?.error_for_status()?)
    }

    /// Begins a run; its path.
    async fn begin(&self) -> anyhow::Result<String> {
        let filter = json!({"source": "ems", "reason": "bad_time"});
        let begun = self.call(Method::POST, "/v1/dead-letters/replay", Some(filter)).await?;
        ensure!(begun.status() == StatusCode::ACCEPTED, "{}", begun.status());
        let path = begun.headers().get("location").context("no location")?.to_str()?;
        Ok(path.to_owned())
    }

    async fn read(&self, path: &str) -> anyhow::Result<Value> {
        Ok(self.call(Method::GET, path, None).await?.json().await?)
    }

    /// Looks at a run until it fits, telling how far it is.
    async fn until(&self, path: &str, fits: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        let (started, mut told) = (Instant::now(), Instant::now());
        loop {
            let run = self.read(path).await?;
            if fits(&run) {
                return Ok(run);
            }
            if told.elapsed() > Duration::from_secs(5) {
                told = Instant::now();
                term::line(&format!("  {} of {}, {}", run["done"], run["total"], run["state"]));
            }
            ensure!(started.elapsed() < LIMIT, "{run}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
