//! `cargo prove …`: breaks things on purpose, or loads them, and measures what holds.
//!
//! A crate of its own, since it compares what is stored with the aggregator's fold itself, and
//! the devstack must be built before the aggregator can be.
//!
//! Floors, lowest first: a module uses only what is declared above it.

mod histories;
mod expected;
mod kill;
mod redis_cut;
mod shuffle;
mod latency;

use clap::Parser;
use devstack::run::stack::{Options, Stack};
use devstack::server::Given;
use std::process::ExitCode;

/// The proofs.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum What {
    /// kill -9 of the aggregator and of the notifier, three times each, in the middle of records
    Kill {
        /// How many records
        #[arg(long, default_value_t = 2000)]
        records: usize,
    },
    /// Redis gone for a while and back empty, under open pages
    Redis {
        /// How many seconds it is gone
        #[arg(long, default_value_t = 10)]
        seconds: u64,
    },
    /// Every order of arrival of a 7-event history, every event three times, through Kafka
    Shuffle {
        /// How many of the 5,040 orders
        #[arg(long, default_value_t = 5040)]
        orders: usize,
    },
    /// From Kafka to an open page at a steady rate, and the memory of each process
    Latency {
        /// Records per second
        #[arg(long, default_value_t = 50)]
        rate: u32,
        /// Open pages
        #[arg(long, default_value_t = 200)]
        viewers: usize,
        /// For how long
        #[arg(long, default_value_t = 30)]
        seconds: u64,
    },
}

/// Runs a proof on a stack of its own.
///
/// # Errors
/// What does not hold, in one sentence.
pub async fn run(what: What, given: Given) -> anyhow::Result<()> {
    let stack = Stack::up(Options { given, services: true, ..Options::default() }).await?;
    let manifest = stack.manifest.clone();
    let result = match what {
        What::Kill { records } => Box::pin(kill::prove(&manifest, records)).await,
        What::Redis { seconds } => Box::pin(redis_cut::prove(&manifest, seconds)).await,
        What::Shuffle { orders } => Box::pin(shuffle::prove(&manifest, orders)).await,
        What::Latency { rate, viewers, seconds } => {
            Box::pin(latency::prove(&manifest, rate, viewers, seconds)).await
        }
    };
    stack.life.stop();
    stack.run().await;
    result
}

/// Proves what holds, on a stack of its own.
#[derive(Debug, clap::Parser)]
#[command(name = "prove")]
struct Cli {
    /// What to prove
    #[command(subcommand)]
    what: What,
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    devstack::cli::block_on(async {
        run(cli.what, Given::default()).await?;
        Ok(ExitCode::SUCCESS)
    })
}
