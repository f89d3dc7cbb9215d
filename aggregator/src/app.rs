//! Puts the aggregator together.

use crate::api::{self, Api};
use crate::config::Config;
use crate::pipeline::{Pipeline, Settings};
use crate::rebuild::{self, Job};
use crate::source::Catalog;
use crate::webhook::{Secrets, Vendors};
use crate::{import, intake, relay, replay, sweep, tool};
use chrono::TimeDelta;
use service_kit::auth::Auth;
use service_kit::health::Health;
use service_kit::kafka::Producer;
use service_kit::lifecycle::Lifecycle;
use service_kit::live_bus::LivePublisher;
use service_kit::postgres;
use service_kit::service::{self, Task, Tools};
use sqlx::migrate::Migrator;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// The schema.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/aggregator");

/// What it can do beside serving.
const TOOLS: Tools = Tools {
    plain: &[("sources", tool::sources), ("source", tool::source)],
    set: &["rebuild", "raise-versions", "import"],
};

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    service::main(
        &api::openapi(),
        TOOLS,
        |config: &Config| &config.common,
        async |task, config| match task {
            Task::Migrate => migrate(&config).await,
            Task::Serve => serve(config).await,
            Task::Tool("import", files) => bring_in(&config, &files).await,
            Task::Tool(tool, named) => walk(&config, tool, &named).await,
        },
    )
}

async fn migrate(config: &Config) -> anyhow::Result<ExitCode> {
    let pool = postgres::pool(&config.postgres, "aggregator migrate")?;
    postgres::migrate(&pool, &MIGRATIONS).await?;
    Ok(ExitCode::SUCCESS)
}

/// Brings in orders that are under way.
async fn bring_in(config: &Config, files: &[String]) -> anyhow::Result<ExitCode> {
    let [file] = files else {
        return Ok(service::usage_error("aggregator import FILE (.csv, or JSON lines)"));
    };
    let producer = Producer::new(&config.kafka.kafka_brokers, "aggregator-import")?;
    let tell = |taken| {
        let _ = service::print(&format!("{taken} orders taken\n"));
    };
    let taken = import::run(Path::new(file), &producer, tell).await?;
    Ok(service::print(&format!("done: {taken} orders; the aggregator reads them now\n")))
}

/// Walks over all orders, or over those that are named, while the service runs elsewhere.
async fn walk(config: &Config, tool: &str, named: &[String]) -> anyhow::Result<ExitCode> {
    let pool = postgres::pool(&config.postgres, "aggregator rebuild")?;
    let settings = Settings { derive_grace: TimeDelta::from_std(config.derive_grace)? };
    let job = if tool == "rebuild" { Job::Rebuild } else { Job::Raise };
    let tell = |seen, all, changed| {
        let _ = service::print(&format!("{seen} of {all} orders seen, {changed} written anew\n"));
    };
    let walk = match named {
        [] => rebuild::run(&pool, job, settings, tell).await?,
        named => rebuild::these(&pool, job, settings, named).await?,
    };
    let done = format!("done: {} orders, {} written anew\n", walk.seen, walk.changed);
    Ok(service::print(&done))
}

async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    let auth = match Auth::read(&config.common) {
        Ok(auth) => auth,
        Err(problems) => return Ok(service::usage_error(&problems)),
    };
    let catalog = match Catalog::open(config.sources_dir.as_deref()) {
        Ok(catalog) => Arc::new(catalog),
        Err(error) => return Ok(service::usage_error(&error.to_string())),
    };
    let webhook_secrets = match Secrets::read(config.webhook_secrets_file.as_deref()) {
        Ok(secrets) => Arc::new(secrets),
        Err(problem) => return Ok(service::usage_error(&problem)),
    };
    let vendors = Arc::new(Vendors::new(catalog.scripts()));
    let pool = postgres::pool(&config.postgres, "aggregator")?;
    let live = LivePublisher::new(&config.common.redis_url)?;
    let producer = Producer::new(&config.kafka.kafka_brokers, "aggregator")?;
    let (life, health) = (Lifecycle::new(), Health::default());
    let settings = Settings { derive_grace: TimeDelta::from_std(config.derive_grace)? };
    let pipeline = Pipeline { pool: pool.clone(), settings, committed: Arc::default() };
    relay::start(&life, &pipeline, live, producer.clone(), health.clone());
    sweep::start(&life, pipeline.clone(), TimeDelta::from_std(config.park_limit)?);
    replay::start(&life, pipeline.clone(), producer.clone());
    intake::start(&life, config.clone(), catalog, pipeline.clone(), health.clone());
    let api = Api { auth, pool, vendors, webhook_secrets, producer, pipeline };
    service::run(&config.common, life, health, api::router(api)).await
}
