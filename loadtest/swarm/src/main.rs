//! `cargo swarm`: ten thousand viewers on one thread, and what they cost a gateway.
//!
//! The server that is measured has a core of its own; the viewers, the publisher and Redis share
//! the other one. Payloads carry the time at which they were published, the publisher goes by the
//! clock, and rounds of two servers alternate: what is compared was measured side by side.
//!
//! Floors, lowest first: a module uses only what is declared above it.

mod cpu;
mod figure;
mod tally;
mod truth;
mod peer;
mod socket;
mod crowd;
mod feed;
mod fault;
mod assault;
mod owner;
mod host;
mod site;
mod scenario;

use anyhow::Context;
use clap::{Parser, ValueEnum};
use devstack::host::term;
use figure::Table;
use host::Host;
use scenario::{Run, Scenario};
use site::Who;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Measures what viewers cost a gateway, and what they see when something breaks.
#[derive(Debug, Parser)]
#[command(name = "swarm")]
struct Cli {
    /// Which scenarios (default: all)
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Scenario>,
    /// How often each; the table has the median and the spread
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Viewers
    #[arg(long, default_value_t = 10_000)]
    viewers: usize,
    /// Seconds of publishing at each rate
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// The program of Centrifugo 6, to measure beside ours, in alternation
    #[arg(long)]
    centrifugo: Option<PathBuf>,
    /// A library that our gateway is started with: another allocator
    #[arg(long)]
    preload: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            term::line(&format!("\nerror: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    let peer =
        cli.centrifugo.as_ref().map(|path| path.canonicalize().context("Centrifugo's program"));
    let peer = peer.transpose()?.map(Who::Centrifugo);
    if peer.is_none() {
        term::line("without --centrifugo PATH nothing is compared");
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let host = Host::prepare(runtime, cli.preload.clone())?;
    cpu::pin(0, cpu::OTHERS)?;
    let result = rounds(cli, peer.as_ref(), &host);
    host.end();
    let table = result?;
    table.print();
    anyhow::ensure!(table.holds(), "not every goal is reached");
    Ok(())
}

/// Ours, theirs, ours, theirs …
fn rounds(cli: &Cli, peer: Option<&Who>, host: &Host) -> anyhow::Result<Table> {
    let mut table = Table::default();
    let all = if cli.only.is_empty() { Scenario::value_variants() } else { &cli.only };
    let ours = Who::Milepost { gateways: 1 };
    for scenario in all {
        for round in 1..=cli.rounds {
            let both = [Some(&ours), peer.filter(|_| scenario.compared())];
            for who in both.into_iter().flatten() {
                let name = if *who == ours { "Milepost" } else { "Centrifugo" };
                term::line(&format!("  {scenario:?} {round}/{}: {name}", cli.rounds));
                let span = Duration::from_secs(cli.seconds);
                let run = Run { host, who: who.clone(), viewers: cli.viewers, span };
                let figures =
                    scenario.run(&run).with_context(|| format!("{scenario:?}, {name}"))?;
                table.add(figures, *who == ours);
            }
        }
    }
    Ok(table)
}
