//! Puts the notifier together.

use crate::api::{self, Api};
use crate::channel::email::{Mailer, Sender};
use crate::config::Config;
use crate::dispatch::Dispatch;
use crate::letter::Letters;
use crate::{feed, intake};
use secrecy::ExposeSecret;
use service_kit::auth::Auth;
use service_kit::health::Health;
use service_kit::lifecycle::Lifecycle;
use service_kit::live_bus::LivePublisher;
use service_kit::postgres;
use service_kit::service::{self, Task, Tools};
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// The schema.
pub static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/notifier");

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    service::main(
        &api::openapi(),
        Tools::default(),
        |config: &Config| &config.common,
        async |task, config| match task {
            Task::Migrate => migrate(&config).await,
            Task::Serve | Task::Tool(..) => serve(config).await,
        },
    )
}

async fn migrate(config: &Config) -> anyhow::Result<ExitCode> {
    let pool = postgres::pool(&config.postgres, "notifier migrate")?;
    postgres::migrate(&pool, &MIGRATIONS).await?;
    Ok(ExitCode::SUCCESS)
}

/// What the settings name and only using them can check.
struct Parts {
    auth: Arc<Auth>,
    mailer: Mailer,
    sender: Sender,
    letters: Letters,
}

impl Parts {
    fn build(config: &Config) -> Result<Self, String> {
        let urls = config.smtp_url.expose_secret();
        let parts = (
            Auth::read(&config.common),
            Mailer::new(urls, config.smtp_timeout, config.send_concurrency),
            Sender::new(&config.mail_from, &config.shop_name),
            Letters::new(&config.shop_name).map_err(|error| error.to_string()),
        );
        match parts {
            (Ok(auth), Ok(mailer), Ok(sender), Ok(letters)) => {
                Ok(Self { auth, mailer, sender, letters })
            }
            (a, b, c, d) => {
                let problems = [a.err(), b.err(), c.err(), d.err()];
                Err(problems.into_iter().flatten().collect::<Vec<_>>().join("; "))
            }
        }
    }
}

async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    let parts = match Parts::build(&config) {
        Ok(parts) => parts,
        Err(problems) => return Ok(service::usage_error(&problems)),
    };
    let pool = postgres::service_pool(&config.postgres, "notifier")?;
    let live = LivePublisher::new(&config.common.redis_url)?;
    let (life, health) = (Lifecycle::new(), Health::default());
    // One bell for each listener: a bell wakes everybody who waits at it.
    let planned: Arc<Notify> = Arc::default();
    dispatch(
        &config,
        parts.mailer,
        parts.sender,
        parts.letters,
        (&parts.auth, &pool, &planned, &health),
    )
    .start(&life);
    feed::start(&life, pool.clone(), live, planned.clone(), health.clone());
    intake::start(&life, config.clone(), pool.clone(), planned.clone(), health.clone());
    let api = Api { auth: parts.auth, pool, changed: planned };
    service::run(&config.common, life, health, api::router(api), None).await
}

type Shared<'a> = (&'a Arc<Auth>, &'a PgPool, &'a Arc<Notify>, &'a Health);

fn dispatch(
    config: &Config,
    mailer: Mailer,
    sender: Sender,
    letters: Letters,
    shared: Shared<'_>,
) -> Dispatch {
    let (auth, pool, planned, health) = shared;
    let page = if config.order_page.starts_with('/') {
        format!("{}{}", config.public_url.trim_end_matches('/'), config.order_page)
    } else {
        config.order_page.clone()
    };
    // Longer than an attempt can take, with room for writing down what came of it.
    let lease = mailer.patience() + config.smtp_timeout + Duration::from_secs(2);
    Dispatch {
        pool: pool.clone(),
        letters,
        mailer,
        sender,
        auth: auth.clone(),
        page,
        lease,
        concurrency: config.send_concurrency,
        planned: planned.clone(),
        health: health.clone(),
    }
}
