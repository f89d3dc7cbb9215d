//! Providers that cannot be reached from a development machine, met by fakes that speak their
//! real protocols and refuse what the real ones would refuse.

pub mod ledger;
pub mod script;
pub mod smtp_session;
pub mod smtp;
pub mod mailbox;
pub mod vendor;
pub mod control;

pub use ledger::{Effect, Ledger};
pub use script::Scripts;

use crate::shop;
use service_kit::lifecycle::Lifecycle;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpListener;

/// Arguments of the fakes.
#[derive(Debug, Clone, clap::Args)]
pub struct Fakes {
    /// Address of ledger and scripts
    #[arg(long)]
    pub http: SocketAddr,
    /// Address of the mail sink
    #[arg(long)]
    pub smtp: SocketAddr,
    /// The gateway, for the demo shop's tokens
    #[arg(long)]
    pub gateway: String,
    /// Key of the demo shop's back end
    #[arg(long, env, hide_env_values = true, default_value = "")]
    pub api_key: String,
    /// Secrets that the vendors gave out, a JSON object
    #[arg(long, env)]
    pub webhook_secrets_file: Option<PathBuf>,
    /// Orders that the simulated shop keeps alive
    #[arg(long, default_value_t = 0)]
    pub orders: u32,
    /// Speed of a life
    #[arg(long)]
    pub speed: Option<f64>,
}

/// Runs the fakes until a signal.
///
/// # Errors
/// When an address cannot be bound.
pub async fn run(arguments: Fakes, kafka: Option<String>) -> anyhow::Result<ExitCode> {
    let (ledger, scripts) = (Ledger::default(), Scripts::default());
    let life = Lifecycle::new();
    let smtp = TcpListener::bind(arguments.smtp).await?;
    smtp::serve(&life, smtp, ledger.clone(), scripts.clone());
    let http = TcpListener::bind(arguments.http).await?;
    let tokens = match &arguments.webhook_secrets_file {
        Some(file) => serde_json::from_str(&std::fs::read_to_string(file)?)?,
        None => BTreeMap::new(),
    };
    let vendors = vendor::router(vendor::Vendors::new(tokens));
    let router = control::router(ledger, scripts).merge(vendors);
    let settings = shop::Settings {
        gateway: arguments.gateway,
        api_key: arguments.api_key,
        orders: arguments.orders,
        speed: arguments.speed,
    };
    let router = shop::serve(&life, &settings, kafka.as_deref(), router)?;
    service_kit::http::serve(&life, http, router, None);
    Ok(life.run(Duration::from_secs(2)).await)
}
