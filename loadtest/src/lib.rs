//! `cargo prove …`: breaks things on purpose, or loads them, and measures what holds.
//!
//! A crate of its own, since it compares what is stored with the aggregator's fold itself, and
//! the devstack must be built before the aggregator can be.
//!
//! Floors, lowest first: a module uses only what is declared above it.

mod percentile;
mod sample;
mod histories;
mod expected;
mod signal;
mod outage;
mod reader;
mod versions;
mod settle;
mod kill;
mod crash;
mod away;
mod due;
mod redis_cut;
mod shuffle;
mod latency;
mod publish;
mod read;
mod calibration;
mod inputs;
mod replay;
mod restore;
mod throughput;

use clap::Parser;
use devstack::run::stack::{Options, Stack, interrupted};
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
    /// kill -9 of the aggregator at five exact points, and a second one that joins and dies
    Crash {
        /// How many records
        #[arg(long, default_value_t = 1500)]
        records: usize,
    },
    /// Redis, Postgres and Kafka gone for a while, one after the other
    Away {
        /// How many records for each
        #[arg(long, default_value_t = 600)]
        records: usize,
        /// How many seconds each is gone
        #[arg(long, default_value_t = 30)]
        seconds: u64,
        /// Which of them
        #[arg(long, value_delimiter = ',', default_value = "redis,postgres,kafka")]
        servers: Vec<String>,
    },
    /// Two aggregators that stand still, catch up with what is due, and are killed meanwhile
    Due {
        /// How many orders
        #[arg(long, default_value_t = 3_000)]
        orders: usize,
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
    /// From a record in Kafka to its publication in Redis, at 100 and at 1,000 a second
    Publish {
        /// For how long at each rate
        #[arg(long, default_value_t = 20)]
        seconds: u64,
    },
    /// Reads of timelines at a steady rate, while records flow in
    Read {
        /// Reads per second
        #[arg(long, default_value_t = 2_000)]
        rate: u32,
        /// For how long
        #[arg(long, default_value_t = 20)]
        seconds: u64,
    },
    /// Records per second from full topics, beside what the database takes of the same rows
    Throughput {
        /// How many orders, of about fourteen records each
        #[arg(long, default_value_t = 50_000)]
        orders: usize,
        /// Records in any order, which is harder than as things happen
        #[arg(long)]
        shuffled: bool,
    },
    /// What a record costs as the database grows, and what a second aggregator brings
    Scale {
        /// How many orders at first; three and ten times as many later, four times as many in each run of a pair
        #[arg(long, default_value_t = 4_000)]
        orders: usize,
        /// Only what a second aggregator brings
        #[arg(long)]
        pairs: bool,
    },
    /// Many refused records, driven again; stopped in the middle and gone on with
    Replay {
        /// How many
        #[arg(long, default_value_t = 100_000)]
        letters: u32,
    },
    /// The aggregator's database restored from an older copy, and the log read again
    Restore {
        /// How many records
        #[arg(long, default_value_t = 1500)]
        records: usize,
    },
    /// Bad input for every source and for the fold: nothing falls over
    Inputs {
        /// How many
        #[arg(long, default_value_t = 10_000_000)]
        count: u64,
        /// Seed of the dice; another one makes other inputs
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// How often an estimate of the delivery holds, over a simulated year
    Calibration {
        /// Orders in the year
        #[arg(long, default_value_t = 12_000)]
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

/// Runs a proof; on a stack of its own when it needs one.
///
/// # Errors
/// What does not hold, in one sentence.
pub async fn run(what: What, given: Given) -> anyhow::Result<()> {
    match what {
        What::Calibration { orders } => calibration::prove(orders),
        What::Inputs { count, seed } => inputs::prove(count, seed),
        what => on_a_stack(what, given).await,
    }
}

/// Runs a proof on a stack of its own.
async fn on_a_stack(what: What, given: Given) -> anyhow::Result<()> {
    // Timelines are compared with the fold of what was sent: nothing is to be estimated.
    let mut aggregator = vec![("ESTIMATE_FLOOR", "1000000".to_owned())];
    if matches!(what, What::Throughput { .. } | What::Scale { .. }) {
        // As it comes: the demo's orders live in seconds, and are looked at as often.
        aggregator.push(("DERIVE_GRACE", "60s".to_owned()));
    }
    if matches!(what, What::Due { .. }) {
        aggregator.push(("DERIVE_GRACE", due::GRACE.to_owned()));
    }
    let held = matches!(
        what,
        What::Throughput { .. } | What::Scale { .. } | What::Due { .. } | What::Restore { .. }
    );
    let options = Options { given, services: true, held, aggregator, ..Options::default() };
    let stack = Stack::up(options).await?;
    let result = tokio::select! {
        result = with(&stack, what) => result,
        () = interrupted() => Err(anyhow::anyhow!("interrupted")),
    };
    stack.life.stop();
    stack.run().await;
    result
}

/// Runs a proof on this stack.
async fn with(stack: &Stack, what: What) -> anyhow::Result<()> {
    let manifest = stack.manifest.clone();
    match what {
        What::Kill { records } => Box::pin(kill::prove(&manifest, records)).await,
        What::Crash { records } => Box::pin(crash::prove(stack, records)).await,
        What::Away { records, seconds, servers } => {
            Box::pin(away::prove(&manifest, records, seconds, &servers)).await
        }
        What::Due { orders } => Box::pin(due::prove(stack, orders)).await,
        What::Redis { seconds } => Box::pin(redis_cut::prove(&manifest, seconds)).await,
        What::Shuffle { orders } => Box::pin(shuffle::prove(&manifest, orders)).await,
        What::Latency { rate, viewers, seconds } => {
            Box::pin(latency::prove(&manifest, rate, viewers, seconds)).await
        }
        What::Publish { seconds } => Box::pin(publish::prove(&manifest, seconds)).await,
        What::Read { rate, seconds } => Box::pin(read::prove(&manifest, rate, seconds)).await,
        What::Throughput { orders, shuffled } => {
            Box::pin(throughput::prove(stack, orders, shuffled)).await
        }
        What::Scale { orders, pairs } => {
            Box::pin(throughput::scale::prove(stack, orders, pairs)).await
        }
        What::Restore { records } => Box::pin(restore::prove(stack, records)).await,
        What::Replay { letters } => Box::pin(replay::prove(&manifest, letters)).await,
        // These need no stack.
        What::Calibration { orders } => calibration::prove(orders),
        What::Inputs { count, seed } => inputs::prove(count, seed),
    }
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
