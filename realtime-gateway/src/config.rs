//! Settings of the gateway.

use clap::Parser;
use service_kit::config::{Common, duration};
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
    #[arg(long, env, value_delimiter = ',', required = true)]
    pub aggregator_urls: Vec<String>,
    /// Notifiers, comma-separated
    #[arg(long, env, value_delimiter = ',', required = true)]
    pub notifier_urls: Vec<String>,
    /// Origins that pages may come from, comma-separated (`https://shop.example`)
    #[arg(long, env, value_delimiter = ',')]
    pub allowed_origins: Vec<String>,
    /// Names that this gateway is reached by, comma-separated (`live.shop.example`); any when empty
    #[arg(long, env, value_delimiter = ',')]
    pub allowed_hosts: Vec<String>,
    /// Addresses of our own proxies, whose `X-Forwarded-For` is believed
    #[arg(long, env, value_delimiter = ',')]
    pub trusted_proxies: Vec<IpAddr>,
    /// Folder with the built widget and the demo page
    #[arg(long, env)]
    pub widget_dir: Option<PathBuf>,
    /// Back end of the demo shop, served below `/demo/api`
    #[arg(long, env)]
    pub demo_shop_url: Option<String>,
    /// Requests per second and address
    #[arg(long, env, default_value_t = 50)]
    pub limit_requests_per_second: u32,
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
    #[arg(long, env, default_value_t = 20)]
    pub limit_frames_per_second: u32,
    /// Over how long viewers are sent away when the gateway stops
    #[arg(long, env, default_value = "3s", value_parser = duration)]
    pub drain_window: Duration,
    /// How old a live connection grows at most; it is sent to another gateway, sooner or later by a fifth
    #[arg(long, env, default_value = "45m", value_parser = duration)]
    pub rotate_after: Duration,
    /// How often viewers are pinged
    #[arg(long, env, default_value = "25s", value_parser = duration)]
    pub heartbeat: Duration,
}
