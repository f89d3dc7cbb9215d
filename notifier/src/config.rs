//! Settings of the notifier.

use clap::Parser;
use secrecy::SecretString;
use service_kit::config::{Common, Kafka, Postgres, duration};
use std::time::Duration;

/// Tells customers what happens to their orders.
///
/// Commands: `serve` (default), `migrate`, `openapi`, `config`. Every setting is an environment
/// variable or the flag of the same name.
#[derive(Debug, Clone, Parser)]
#[command(name = "notifier")]
pub struct Config {
    /// Settings of every service.
    #[command(flatten)]
    pub common: Common,
    /// The database.
    #[command(flatten)]
    pub postgres: Postgres,
    /// The log.
    #[command(flatten)]
    pub kafka: Kafka,
    /// Mail servers in order of preference, comma-separated (`smtps://user:password@host:465`)
    #[arg(long, env, hide_env_values = true)]
    pub smtp_url: SecretString,
    /// How long a mail server may take
    #[arg(long, env, default_value = "4s", value_parser = duration)]
    pub smtp_timeout: Duration,
    /// Sender of letters
    #[arg(long, env, default_value = "orders@teemazing.example")]
    pub mail_from: String,
    /// Name of the shop
    #[arg(long, env, default_value = "Teemazing")]
    pub shop_name: String,
    /// Address that links begin with
    #[arg(long, env)]
    pub public_url: String,
    /// Page that a letter's button opens; `{order}` stands for the order number
    #[arg(long, env, default_value = "/demo?order={order}")]
    pub order_page: String,
    /// Letters that are sent at a time
    #[arg(long, env, default_value_t = 16)]
    pub send_concurrency: usize,
}
