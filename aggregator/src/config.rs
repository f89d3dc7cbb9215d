//! Settings of the aggregator.

use clap::Parser;
use service_kit::config::{Common, Kafka, Postgres, duration};
use std::path::PathBuf;
use std::time::Duration;

/// Folds what every source says about an order into one timeline.
///
/// Commands: `serve` (default), `migrate`, `openapi`, `config`, `sources` (what every source says
/// and what is made of it), `source test FILE SAMPLE` and `source try FOLDER` (read samples and
/// print what comes out), `import FILE` (brings in the orders that are under way on the first day,
/// CSV or JSON lines; tells nobody; can be repeated), `rebuild [ORDER…]` (folds orders anew while everything runs; what
/// differs gets a new version), `raise-versions [ORDER…]` (after a restore of an older database:
/// every version above what was ever published). The last two go on where they were broken off.
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
    /// Secrets that vendors sign with: a JSON object from source to secret, or to several
    #[arg(long, env)]
    pub webhook_secrets_file: Option<PathBuf>,
    /// Most records in one transaction
    #[arg(long, env, default_value_t = 500)]
    pub batch_records: usize,
    /// How long an order must have been quiet before something is said by the clock alone
    #[arg(long, env, default_value = "60s", value_parser = duration)]
    pub derive_grace: Duration,
    /// How long an event waits for its order before it is refused
    #[arg(long, env, default_value = "720h", value_parser = duration)]
    pub park_limit: Duration,
}
