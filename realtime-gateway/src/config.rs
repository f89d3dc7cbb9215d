//! Settings of the gateway.

use clap::Parser;
use ipnet::IpNet;
use reqwest::Url;
use service_kit::config::{Common, duration, http_url};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

/// Serves live updates by WebSocket and SSE, and passes REST on to the services.
///
/// Commands: `serve` (default), `openapi`, `config`. Every setting is an environment variable or
/// the flag of the same name.
#[derive(Debug, Clone, Parser)]
#[command(name = "realtime-gateway")]
pub struct Config {
    /// Settings of every service.
    #[command(flatten)]
    pub common: Common,
    /// Aggregators, comma-separated
    #[arg(long, env, value_delimiter = ',', required = true, value_parser = http_url)]
    pub aggregator_urls: Vec<String>,
    /// Notifiers, comma-separated
    #[arg(long, env, value_delimiter = ',', required = true, value_parser = http_url)]
    pub notifier_urls: Vec<String>,
    /// Origins that pages may come from, comma-separated (`https://shop.example`)
    #[arg(long, env, value_delimiter = ',', value_parser = origin)]
    pub allowed_origins: Vec<String>,
    /// Names that this gateway is reached by, comma-separated (`live.shop.example`); any when empty
    #[arg(long, env, value_delimiter = ',')]
    pub allowed_hosts: Vec<String>,
    /// Addresses or networks (`10.0.0.0/8`) of our own proxies, whose `X-Forwarded-For` is believed
    #[arg(long, env, value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,
    /// Folder with the built widget and the demo page
    #[arg(long, env)]
    pub widget_dir: Option<PathBuf>,
    /// Back end of the demo shop, served below `/demo/api`
    #[arg(long, env, value_parser = http_url)]
    pub demo_shop_url: Option<String>,
    /// Requests per second and address
    #[arg(long, env, default_value = "50")]
    pub limit_requests_per_second: NonZeroU32,
    /// Connections per address that have not become live ones: requests under way, and half-sent ones
    #[arg(long, env, default_value = "1000")]
    pub limit_sockets_per_address: NonZeroU32,
    /// Live connections per address
    #[arg(long, env, default_value_t = 100)]
    pub limit_connections_per_address: u32,
    /// Live connections per customer, over all gateways
    #[arg(long, env, default_value = "20")]
    pub limit_connections_per_subject: NonZeroU32,
    /// Live connections in all
    #[arg(long, env, default_value_t = 50_000)]
    pub limit_connections: u32,
    /// Live connections that are accepted in a second; the rest come back a little later
    #[arg(long, env, default_value = "1000")]
    pub limit_connects_per_second: NonZeroU32,
    /// Frames per second and connection
    #[arg(long, env, default_value = "20")]
    pub limit_frames_per_second: NonZeroU32,
    /// How long the gateway works on after it was asked to stop, so that whoever sends viewers here reads
    /// that it is not ready; before the grace begins
    #[arg(long, env, default_value = "1s", value_parser = duration)]
    pub drain_wait: Duration,
    /// Over how long viewers are sent away when the gateway stops
    #[arg(long, env, default_value = "3s", value_parser = duration)]
    pub drain_window: Duration,
    /// How old a live connection grows at most; it is sent to another gateway, sooner or later by a fifth
    #[arg(long, env, default_value = "45m", value_parser = duration)]
    pub rotate_after: Duration,
    /// How often viewers are pinged
    #[arg(long, env, default_value = "25s", value_parser = heartbeat)]
    pub heartbeat: Duration,
}

/// Checks an origin: a scheme and a name, and a port where it is not the usual one (RFC 6454).
fn origin(text: &str) -> Result<String, String> {
    let url = http_url(text).ok().and_then(|text| text.parse::<Url>().ok());
    let plain = |url: &Url| url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    match url.filter(plain) {
        Some(_) => Ok(text.to_owned()),
        None => Err("wants https://shop.example".to_owned()),
    }
}

/// Reads an address, or a network.
fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| address()).map_err(|_| "wants 10.0.0.1 or 10.0.0.0/8".to_owned())
}

fn heartbeat(text: &str) -> Result<Duration, String> {
    let every = duration(text)?;
    if every < Duration::from_secs(1) { Err("wants 1s or more".to_owned()) } else { Ok(every) }
}
