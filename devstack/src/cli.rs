//! The command line of `cargo demo`, `cargo verify` and `cargo devstack`.

use crate::fake::{self, Fakes};
use crate::host::term;
use crate::run::{build, demo, devstack, play};
use crate::server::Given;
use crate::verify;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Runs Milepost on this machine, and checks all that must hold.
#[derive(Debug, Parser)]
#[command(name = "devstack")]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// `PostgreSQL` server to use instead of a private one
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true)]
    database_url: Option<String>,
    /// Redis to use instead of a private one
    #[arg(long, env = "REDIS_URL", hide_env_values = true, global = true)]
    redis_url: Option<String>,
    /// Kafka to use instead of a private one
    #[arg(long, env = "KAFKA_BROKERS", global = true)]
    kafka_brokers: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything with a simulated shop and a page to open
    Demo(demo::Demo),
    /// Check everything that must hold
    Verify(verify::Verify),
    /// Start `PostgreSQL`, Redis, Kafka and the fakes alone
    Up,
    /// End what `up` started
    Down,
    /// Say what is up
    Status,
    /// Print the exports for a shell
    Env,
    /// Play a history (JSON lines: `{"after_ms","topic","value"}`) into Kafka
    Play {
        /// The history
        file: PathBuf,
    },
    /// Write the generated documents
    Docs,
    /// Write the query metadata from the migrated databases
    Queries,
    /// The fakes themselves; started by the other commands
    #[command(hide = true)]
    Fakes(Fakes),
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    block_on(run(cli))
}

/// Runs a future on a runtime of its own; an error is printed and gives exit code 1.
pub fn block_on(future: impl Future<Output = anyhow::Result<ExitCode>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = match runtime {
        // On the heap: the future of a whole stack is too large for a thread's stack.
        Ok(runtime) => runtime.block_on(Box::pin(future)),
        Err(error) => Err(error.into()),
    };
    result.unwrap_or_else(|error| {
        term::line(&format!("\nerror: {error:#}"));
        ExitCode::FAILURE
    })
}

async fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let given =
        Given { database: cli.database_url, redis: cli.redis_url, kafka: cli.kafka_brokers };
    match cli.command {
        Command::Demo(arguments) => return demo::run(arguments, given).await,
        Command::Verify(arguments) => return verify::run(arguments, given).await,
        Command::Fakes(arguments) => return fake::run(arguments, given.kafka).await,
        Command::Docs => {
            build::binaries().await?;
            verify::document::write().await?;
        }
        Command::Queries => verify::queries(given).await?,
        Command::Up => devstack::up(given).await?,
        Command::Down => devstack::down().await?,
        Command::Status => devstack::status()?,
        Command::Env => devstack::env()?,
        Command::Play { file } => play::play(&file).await?,
    }
    Ok(ExitCode::SUCCESS)
}
