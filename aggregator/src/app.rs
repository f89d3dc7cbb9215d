//! Puts the aggregator together.

use crate::api::{self, Api, Reader};
use crate::config::Config;
use crate::pipeline::{Calm, Pipeline, Recent, Settings, Usual};
use crate::question::{Bases, Occasion, Question, Template, built_in};
use crate::rebuild::{self, Job};
use crate::relay::Lanes;
use crate::shelf::Shelf;
use crate::source::Catalog;
use crate::store::duration;
use crate::sweep::Keep;
use crate::webhook::{Secrets, Vendors};
use crate::{ask, calibrate, import, intake, relay, replay, sweep, tool};
use chrono::TimeDelta;
use service_kit::auth::Auth;
use service_kit::config::Postgres;
use service_kit::health::Health;
use service_kit::kafka::Producer;
use service_kit::lifecycle::Lifecycle;
use service_kit::live_bus::LivePublisher;
use service_kit::postgres;
use service_kit::service::{self, Task, Tools};
use sqlx::migrate::Migrator;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

/// The schema.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/aggregator");

/// What it can do beside serving.
const TOOLS: Tools = Tools {
    plain: &[("sources", tool::sources), ("source", tool::source)],
    set: &["rebuild", "raise-versions", "import", "calibrate", "forget"],
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
            Task::Tool("calibrate", _) => calibrate(&config).await,
            Task::Tool("forget", words) => forget(&config, &words).await,
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

/// Tells how often what was said of the delivery came true.
async fn calibrate(config: &Config) -> anyhow::Result<ExitCode> {
    let pool = postgres::pool(&config.postgres, "aggregator calibrate")?;
    Ok(service::print(&calibrate::report(&pool).await?))
}

/// Forgets what is older than the settings say, at once.
async fn forget(config: &Config, words: &[String]) -> anyhow::Result<ExitCode> {
    if !words.is_empty() {
        return Ok(service::usage_error("aggregator forget: it names no order, what is old goes"));
    }
    if let Some(wrong) = contradiction(config) {
        return Ok(service::usage_error(wrong));
    }
    let pool = postgres::pool(&config.postgres, "aggregator forget")?;
    let live = LivePublisher::new(&config.common.redis_url)?;
    let gone = sweep::forget(&pool, &live, keep(config)?).await?;
    let (orders, letters) = (gone.orders, gone.letters);
    Ok(service::print(&format!("done: {orders} orders and {letters} refused records forgotten\n")))
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
    let opened = || -> Result<Vec<Question>, String> {
        let catalog = Catalog::open(config.sources_dir.as_deref()).map_err(|e| e.to_string())?;
        let secrets = Secrets::read(config.webhook_secrets_file.as_deref())?;
        questions(config, &catalog, &secrets)
    };
    let questions = match opened() {
        Ok(questions) => questions,
        Err(problem) => return Ok(service::usage_error(&problem)),
    };
    let pool = postgres::pool(&config.postgres, "aggregator rebuild")?;
    let settings = &Settings { questions: questions.into(), ..settings(config)? };
    settings.patience.set(duration::patience(&pool, settings.estimate_floor).await?);
    let job = if tool == "rebuild" { Job::Rebuild } else { Job::Raise };
    let tell = |seen, all, changed| {
        let _ = service::print(&format!("{seen} of {all} orders seen, {changed} written anew\n"));
    };
    let named: BTreeSet<String> = named.iter().cloned().collect();
    let named: Vec<String> = named.into_iter().collect();
    let walk = match named.as_slice() {
        [] => rebuild::run(&pool, job, settings, tell).await?,
        named => rebuild::these(&pool, job, settings, named).await?,
    };
    let done = format!("done: {} orders, {} written anew\n", walk.seen, walk.changed);
    let unknown = named.len().saturating_sub(usize::try_from(walk.seen)?);
    if unknown > 0 {
        let _ = service::print(&done);
        anyhow::bail!("{unknown} of the {} orders that were named are not known", named.len());
    }
    Ok(service::print(&done))
}

/// The connections that may be opened: a third for reads, a quarter (three at most) for publishing,
/// which no batch that waits for an order may hold up, and the rest for batches.
fn split(all: &Postgres) -> [Postgres; 3] {
    let reads = (all.database_connections / 3).max(1);
    let relay = (all.database_connections / 4).clamp(1, 4);
    let batches = all.database_connections.saturating_sub(reads + relay).max(1);
    [reads, relay, batches]
        .map(|database_connections| Postgres { database_connections, ..all.clone() })
}

/// How long what is kept.
fn keep(config: &Config) -> anyhow::Result<Keep> {
    Ok(Keep {
        parked: TimeDelta::from_std(config.park_limit)?,
        orders: TimeDelta::from_std(config.retention)?,
        letters: TimeDelta::from_std(config.dead_letter_retention)?,
    })
}

fn settings(config: &Config) -> anyhow::Result<Settings> {
    Ok(Settings {
        derive_grace: TimeDelta::from_std(config.derive_grace)?,
        estimate_floor: config.estimate_floor,
        patience: Usual::default(),
        recent: Recent::default(),
        questions: [].into(),
    })
}

/// What other systems are asked: those that there is a secret for, or that want none.
fn questions(
    config: &Config,
    catalog: &Catalog,
    secrets: &Secrets,
) -> Result<Vec<Question>, String> {
    let bases = Bases { ghn: config.ghn_url.clone(), printful: config.printful_url.clone() };
    for (setting, base) in [("GHN_URL", &bases.ghn), ("PRINTFUL_URL", &bases.printful)] {
        Template::check_address(&format!("{base}/")).map_err(|why| format!("{setting}: {why}"))?;
    }
    let described = catalog.scripts().iter().filter_map(|script| script.question.clone());
    let all = built_in(&bases).into_iter().chain(described);
    let open = |question: &Question| {
        question.template.header.is_none() || secrets.to_ask(&question.source).is_some()
    };
    let (open, shut): (Vec<Question>, Vec<Question>) = all.partition(open);
    for question in
        shut.iter().filter(|question| matches!(question.occasion, Occasion::Polls { .. }))
    {
        let source = &question.source;
        tracing::warn!(source, "it is not asked: the secrets have no `{source}:ask`");
    }
    Ok(open)
}

/// Settings that do not go together.
fn contradiction(config: &Config) -> Option<&'static str> {
    if config.retention < config.park_limit {
        return Some("RETENTION is shorter than PARK_LIMIT");
    }
    // What waited in vain is as old as that when it becomes a dead letter.
    (config.dead_letter_retention <= config.park_limit)
        .then_some("DEAD_LETTER_RETENTION is not longer than PARK_LIMIT")
}

/// What stands in files that settings name.
struct Files {
    auth: Arc<Auth>,
    catalog: Arc<Catalog>,
    webhook_secrets: Arc<Secrets>,
}

/// Reads them; or tells all that is wrong with settings and files at once.
fn files(config: &Config) -> Result<Files, String> {
    let auth = Auth::read(&config.common);
    let catalog = Catalog::open(config.sources_dir.as_deref()).map_err(|error| error.to_string());
    let secrets = Secrets::read(config.webhook_secrets_file.as_deref());
    match (contradiction(config), auth, catalog, secrets) {
        (None, Ok(auth), Ok(catalog), Ok(secrets)) => {
            Ok(Files { auth, catalog: Arc::new(catalog), webhook_secrets: Arc::new(secrets) })
        }
        (wrong, auth, catalog, secrets) => {
            let all = [wrong.map(str::to_owned), auth.err(), catalog.err(), secrets.err()];
            Err(all.into_iter().flatten().collect::<Vec<_>>().join("; "))
        }
    }
}

async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    let Files { auth, catalog, webhook_secrets } = match files(&config) {
        Ok(files) => files,
        Err(problems) => return Ok(service::usage_error(&problems)),
    };
    let vendors = Arc::new(Vendors::new(catalog.scripts()));
    let [reads, publishing, batches] = split(&config.postgres);
    let pool = postgres::service_pool(&reads, "aggregator")?;
    let live = LivePublisher::new(&config.common.redis_url)?;
    let producer = Producer::new(&config.kafka.kafka_brokers, "aggregator")?;
    let (life, health) = (Lifecycle::new(), Health::default());
    let questions = match questions(&config, &catalog, &webhook_secrets) {
        Ok(questions) => questions,
        Err(problem) => return Ok(service::usage_error(&problem)),
    };
    let settings = Settings { questions: questions.into(), ..settings(&config)? };
    let asked = settings.questions.clone();
    let batches = postgres::batch_pool(&batches, "aggregator batches")?;
    let pipeline = Pipeline {
        pool: batches,
        settings,
        shelf: Shelf::default(),
        committed: Arc::default(),
        calm: Calm::default(),
    };
    let publishing = postgres::lean_batch_pool(&publishing, "aggregator relay")?;
    let name = config.kafka.kafka_instance.clone();
    let lanes = Lanes::keep(&life, publishing.clone(), pipeline.shelf.clone(), name);
    let told = health.clone();
    let versions = Producer::of_many(&config.kafka.kafka_brokers, "aggregator-relay")?;
    relay::start(&life, publishing, &pipeline, live.clone(), &versions, told, lanes.clone());
    sweep::start(&life, pipeline.clone(), live.clone(), keep(&config)?, lanes.clone());
    replay::start(&life, pipeline.clone(), producer.clone());
    ask::start(&life, &asked, &webhook_secrets, &pool, &producer, &lanes)?;
    intake::start(&life, config.clone(), catalog.clone(), pipeline.clone(), health.clone(), lanes);
    let reader = Reader::start(&life, &pool);
    let api = Api { auth, pool, reader, catalog, vendors, webhook_secrets, producer, pipeline };
    service::run(&config.common, life, health, api::router(api), None).await
}
