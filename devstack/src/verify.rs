//! `cargo verify`: everything that must hold, in one command.

mod report;
pub mod floors;
mod lint;
mod query;
mod example;
mod operation;
pub mod document;
mod dashboard;
mod rust;
mod widget;

use crate::host::term;
use crate::run::stack::{Options, Stack};
use crate::server::Given;
use report::Report;
use std::process::ExitCode;

/// Arguments of `cargo verify`.
#[derive(Debug, Clone, clap::Args)]
pub struct Verify {
    /// Only these parts
    #[arg(long, value_delimiter = ',', value_parser = ["rust", "widget", "lint", "docs"])]
    pub only: Vec<String>,
}

impl Verify {
    fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == part)
    }
}

/// Runs the parts and says how many checks and tests passed.
///
/// # Errors
/// When the servers cannot be had.
pub async fn run(verify: Verify, given: Given) -> anyhow::Result<ExitCode> {
    term::line("Milepost: everything that must hold\n");
    let mut report = Report::default();
    if verify.wants("lint") {
        lint::run(&mut report).await;
    }
    // A simulated life takes 12 s, so that a browser can watch whole ones.
    let simulate = ["--speed", "28800"].map(str::to_owned).to_vec();
    let stack =
        Stack::up(Options { given, services: true, fast: true, simulate, ..Options::default() })
            .await?;
    let manifest = stack.manifest.get();
    if verify.wants("lint") {
        query::run(&mut report, &manifest).await;
    }
    if verify.wants("docs") {
        document::run(&mut report).await;
        dashboard::run(&mut report);
    }
    if verify.wants("rust") {
        rust::run(&mut report, &manifest).await;
    }
    if verify.wants("widget") {
        widget::run(&mut report).await;
    }
    stack.life.stop();
    stack.run().await;
    Ok(report.finish())
}

/// Writes the committed query metadata anew, from databases that the migrations made.
///
/// # Errors
/// When a query does not fit its database.
pub async fn queries(given: Given) -> anyhow::Result<()> {
    let stack = Stack::up(Options { given, ..Options::default() }).await?;
    let written = query::write(&stack.manifest.get()).await;
    stack.life.stop();
    stack.run().await;
    term::line(&format!("{} queries", written?));
    Ok(())
}
