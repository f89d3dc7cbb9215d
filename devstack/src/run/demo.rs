//! `cargo demo`: everything, a simulated shop, and a page to open.

use super::check;
use super::stack::{Options, Stack};
use crate::host::term;
use crate::server::Given;
use std::process::ExitCode;

/// Arguments of `cargo demo`.
#[derive(Debug, Clone, clap::Args)]
pub struct Demo {
    /// Play one order from placed to delivered, follow it as a customer would, and exit
    #[arg(long)]
    pub check: bool,
    /// How many simulated orders are alive at a time
    #[arg(long, default_value_t = 6)]
    pub orders: u32,
    /// How fast they live: 1 is real time; by default a life takes about 90 s
    #[arg(long)]
    pub speed: Option<f64>,
    /// No simulated shop
    #[arg(long)]
    pub no_simulator: bool,
    /// Port of the first gateway (default: 8080 or the next free one)
    #[arg(long)]
    pub port: Option<u16>,
}

/// Runs the demo.
///
/// # Errors
/// When something cannot be had.
pub async fn run(demo: Demo, given: Given) -> anyhow::Result<ExitCode> {
    term::line("Milepost: one live timeline for every order\n");
    let mut simulate = Vec::new();
    if !demo.check && !demo.no_simulator {
        simulate.extend(["--orders".to_owned(), demo.orders.to_string()]);
    }
    if let Some(speed) = demo.speed {
        simulate.extend(["--speed".to_owned(), speed.to_string()]);
    }
    let fast = demo.speed.is_some_and(|speed| speed > 10_000.0);
    let options =
        Options { port: demo.port, given, services: true, fast, simulate, ..Options::default() };
    let stack = Stack::up(options).await?;
    if demo.check {
        let result = check::check(&stack.manifest.get()).await;
        stack.life.stop();
        stack.run().await;
        return Ok(match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                term::line(&format!("\nthe check failed: {error:#}"));
                ExitCode::FAILURE
            }
        });
    }
    let manifest = stack.manifest.get();
    term::line(&format!("\n  open       {}", manifest.demo_page));
    term::line(&format!("  gateways   {}", manifest.gateways.join("  ")));
    term::line(&format!("  mail box   {}/mailbox", manifest.fakes));
    term::line(&format!("  kafka      {}", manifest.kafka_brokers));
    term::line("  manifest   target/devstack/manifest.json\n\nCtrl-C stops and removes everything");
    stack.run().await;
    Ok(ExitCode::SUCCESS)
}
