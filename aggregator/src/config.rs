//! Settings of the aggregator.

use clap::Parser;
use service_kit::config::{Common, Kafka, Postgres, duration};
use std::path::PathBuf;
use std::time::Duration;

/// Folds what every source says about an order into one timeline.
///
/// Commands: `serve` (default), `migrate`, `openapi`, `config`, `sources` (what every source says
/// and what is made of it), `source test FILE SAMPLE` and `source try FOLDER` (read samples and
/// print what comes out), `source signed SOURCE SECRETS BODY [HEADER …]` (why a vendor's call is
/// refused), `import FILE` (brings in the orders that are under way on the first day,
/// CSV or JSON lines; tells nobody; can be repeated), `rebuild [ORDER…]` (folds orders anew while
/// everything runs; what differs gets a new version), `raise-versions [ORDER…]` (after a restore of
/// an older database: every version above what was ever published; this and `rebuild` go on where
/// they were broken off), `calibrate` (how often what was said of the delivery came true), `forget`
/// (what is older than `RETENTION` and `DEAD_LETTER_RETENTION`, now instead of within the hour).
/// Every setting is an environment variable or the flag of the same name.
#[derive(Debug, Clone, Parser)]
#[command(name = "aggregator")]
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
    /// Folder of the sources without code, and of `options.toml`: where this shop differs
    #[arg(long, env)]
    pub sources_dir: Option<PathBuf>,
    /// Secrets that vendors sign with, and that they are asked with (`<source>:ask`): a JSON object
    /// from source to secret, or to several
    #[arg(long, env)]
    pub webhook_secrets_file: Option<PathBuf>,
    /// Giao Hàng Nhanh's API, asked whether an unsigned "delivered" is true (secret `ghn:ask`)
    #[arg(long, env, default_value = "https://online-gateway.ghn.vn")]
    pub ghn_url: String,
    /// Printful's API, asked whether an unsigned "shipped" or "canceled" is true (`printful:ask`)
    #[arg(long, env, default_value = "https://api.printful.com")]
    pub printful_url: String,
    /// Most records in one transaction; four times as many are read together
    #[arg(long, env, default_value_t = 400)]
    pub batch_records: usize,
    /// How long an order must have been quiet before something is said by the clock alone
    #[arg(long, env, default_value = "60s", value_parser = duration)]
    pub derive_grace: Duration,
    /// Fewer finished orders than this say nothing of those like them: no estimate, no p95
    #[arg(long, env, default_value_t = 30)]
    pub estimate_floor: usize,
    /// How long an event waits for its order before it is refused
    #[arg(long, env, default_value = "720h", value_parser = duration)]
    pub park_limit: Duration,
    /// How long an order is kept, from the month in which it was first heard of
    #[arg(long, env, default_value = "400d", value_parser = duration)]
    pub retention: Duration,
    /// How long a refused record is kept
    #[arg(long, env, default_value = "90d", value_parser = duration)]
    pub dead_letter_retention: Duration,
}
