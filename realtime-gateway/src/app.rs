//! Puts the gateway together.

use crate::authenticator::Authenticator;
use crate::bus::Bus;
use crate::census::{self, Census, Everywhere};
use crate::config::Config;
use crate::denied::{self, Denied};
use crate::drain;
use crate::edge::{self, Limiter, Pages, Services, document};
use crate::gateway::{Gateway, Hosts, Origins, Parts, Places, Room, TrustedProxies, door};
use crate::hub::Hub;
use crate::metric;
use crate::repair::{self, Dirty};
use crate::session::Rules;
use crate::snapshot::Ladder;
use crate::upstream::{self, Upstream};
use contract::asyncapi;
use service_kit::auth::Auth;
use service_kit::health::Health;
use service_kit::lifecycle::Lifecycle;
use service_kit::redis;
use service_kit::service::{self, Task, Tools};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Duration;

/// Tokens that are remembered at most: some 50 MB if all are used.
const MOST_REMEMBERED: usize = 100_000;

/// How often the queues are measured.
const MEASURE: Duration = Duration::from_secs(2);

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    service::main(
        &document::own(),
        Tools { plain: &[("asyncapi", |_| service::print(&asyncapi::document()))], set: &[] },
        |config: &Config| &config.common,
        async |task, config| match task {
            Task::Migrate => Ok(service::usage_error("the gateway has no database")),
            Task::Serve | Task::Tool(..) => serve(config).await,
        },
    )
}

async fn serve(config: Config) -> anyhow::Result<ExitCode> {
    let auth = match Auth::read(&config.common) {
        Ok(auth) => auth,
        Err(problems) => return Ok(service::usage_error(&problems)),
    };
    let (life, health) = (Lifecycle::waiting(config.drain_wait), Health::default());
    let client = upstream::client()?;
    let service = |name, addresses: &[String]| Upstream::new(client.clone(), name, addresses);
    let aggregator = service("aggregator", &config.aggregator_urls);
    let notifier = service("notifier", &config.notifier_urls);
    let redis = redis::connect(&config.common.redis_url)?;
    let (hub, dirty) = (Hub::default(), Dirty::default());
    aggregator.start(&life);
    notifier.start(&life);
    let rungs = [aggregator.clone(), notifier.clone()];
    let ladder = Ladder::new(hub.clone(), redis.clone(), rungs, auth.clone());
    ladder.start(&life);
    let watched = (hub.clone(), ladder.clone(), dirty.clone());
    Bus::new(config.common.redis_url.clone(), redis.clone(), watched, health.clone()).start(&life);
    repair::start(&life, dirty, hub.clone(), ladder.clone());
    let (denied, told) = (Denied::unread(), hub.clone());
    denied::start(&life, redis.clone(), denied.clone(), health.clone(), move || told.look());
    let census = Census::new(config.limit_connections_per_subject);
    census::start(&life, redis.clone(), census.clone());
    let everywhere = Everywhere::new(redis.clone(), census.clone(), hub.clone());
    everywhere.start(&life);
    watch(&life, hub.clone());
    drain::start(&life, hub.clone(), config.drain_window);
    let places = Places::new(room(&config));
    places.start(&life);
    let gateway = Gateway::new(Parts {
        authenticator: Authenticator::new(auth.clone(), denied, remembered(&config)),
        auth,
        hub,
        census,
        everywhere,
        ladder,
        redis,
        life: life.clone(),
        rules: Rules {
            heartbeat_ms: u64::try_from(config.heartbeat.as_millis())?,
            frames_per_second: config.limit_frames_per_second.get(),
        },
        origins: Origins::new(&config.allowed_origins),
        hosts: Hosts::new(&config.allowed_hosts),
        places,
        rotate_after: config.rotate_after,
    });
    let demo_shop =
        config.demo_shop_url.as_ref().map(|url| service("demo shop", std::slice::from_ref(url)));
    let pages = Pages { folder: config.widget_dir.clone(), demo_shop };
    let limiter = Limiter::new(&life, config.limit_requests_per_second);
    let proxies = TrustedProxies(config.trusted_proxies.clone().into());
    let door = door(config.limit_sockets_per_address, proxies.clone());
    let router = edge::router(&gateway, Services { aggregator, notifier }, pages, limiter, proxies);
    service::run(&config.common, life, health, router, Some(door)).await
}

/// Measures what no single event tells, until the hard stop.
fn watch(life: &Lifecycle, hub: Hub) {
    life.spawn_behind("queues", async move {
        loop {
            tokio::time::sleep(MEASURE).await;
            let (states, bytes) = hub.waiting();
            metric::waiting(states, bytes);
        }
    });
}

/// Each viewer's token, and that of one who has just gone.
fn remembered(config: &Config) -> NonZeroUsize {
    let viewers = usize::try_from(config.limit_connections).unwrap_or(usize::MAX);
    NonZeroUsize::MIN.saturating_add(viewers.min(MOST_REMEMBERED))
}

fn room(config: &Config) -> Room {
    Room {
        all: config.limit_connections,
        per_address: config.limit_connections_per_address,
        per_second: config.limit_connects_per_second,
    }
}
