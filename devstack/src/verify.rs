//! x
use crate::server::Given;
use std::process::ExitCode;
/// x
#[derive(Debug, Clone, clap::Args)]
pub struct Verify {
    /// Only these parts: rust, widget, lint, docs
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<String>,
}
/// x
pub async fn run(_v: Verify, _g: Given) -> anyhow::Result<ExitCode> { anyhow::bail!("later") }
