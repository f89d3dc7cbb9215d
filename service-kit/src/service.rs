//! The frame of a service's `main`: settings, commands, telemetry, both listeners, the stop.

use crate::config::{self, Common};
use crate::health::Health;
use crate::http;
use crate::lifecycle::Lifecycle;
use crate::telemetry;
use anyhow::Context;
use axum::Router;
use clap::{CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;
use tokio::net::TcpListener;

/// What a service was asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Run (the default).
    Serve,
    /// Bring the database's schema up to date.
    Migrate,
}

/// The whole `main`: reads the command line, starts logging, runs what was asked for.
pub fn main<C: CommandFactory + FromArgMatches>(
    openapi: &str,
    common: impl FnOnce(&C) -> &Common,
    run: impl AsyncFnOnce(Task, C) -> anyhow::Result<ExitCode>,
) -> ExitCode {
    match arguments::<C>(openapi) {
        Ok((task, config)) => {
            observe(common(&config));
            block_on(run(task, config))
        }
        Err(code) => code,
    }
}

/// Reads the command line. `openapi` and `config` need no settings and are answered here.
///
/// # Errors
/// The exit code, after the reason was printed.
fn arguments<C: CommandFactory + FromArgMatches>(openapi: &str) -> Result<(Task, C), ExitCode> {
    let mut args: Vec<OsString> = std::env::args_os().collect();
    let word =
        args.get(1).and_then(|a| a.to_str()).filter(|a| !a.starts_with('-')).map(str::to_owned);
    if word.is_some() {
        args.remove(1);
    }
    let task = match word.as_deref() {
        None | Some("serve") => Task::Serve,
        Some("migrate") => Task::Migrate,
        Some("openapi") => return Err(print(openapi)),
        Some("config") => return Err(print(&config::describe::<C>())),
        Some(other) => {
            complain(&format!("no command {other}: serve, migrate, openapi, config\n"));
            return Err(ExitCode::from(config::EXIT_USAGE));
        }
    };
    match config::parse(&args) {
        Ok(settings) => Ok((task, settings)),
        Err((text, 0)) => Err(print(&text)),
        Err((text, code)) => {
            complain(&text);
            Err(ExitCode::from(code))
        }
    }
}

/// Reports a wrong setting that shows only when it is used (a key file), as the others are.
#[must_use]
pub fn usage_error(text: &str) -> ExitCode {
    complain(&format!("{text}\n"));
    ExitCode::from(config::EXIT_USAGE)
}

fn print(text: &str) -> ExitCode {
    // A closed pipe is the reader's choice, not an error of ours.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn complain(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Starts logging and metrics, before anything that may want to use them.
fn observe(config: &Common) {
    telemetry::start(config);
    telemetry::metrics();
}

/// Binds both addresses, serves, and waits for the end.
///
/// # Errors
/// When an address cannot be bound.
pub async fn run(
    config: &Common,
    life: Lifecycle,
    health: Health,
    public: Router,
) -> anyhow::Result<ExitCode> {
    let bind = async |address| {
        TcpListener::bind(address).await.with_context(|| format!("cannot bind {address}"))
    };
    let (listener, admin) = (bind(config.http_addr).await?, bind(config.admin_addr).await?);
    http::serve(&life, listener, public);
    http::serve(&life, admin, http::admin_router(health, &life));
    tracing::info!(http = %config.http_addr, admin = %config.admin_addr, "serving");
    Ok(life.run(config.shutdown_grace).await)
}

/// Runs the program's future on a runtime of its own; an error is logged and gives exit code 1.
fn block_on(future: impl Future<Output = anyhow::Result<ExitCode>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    // On the heap: the future of a whole service is too large for a thread's stack.
    runtime.block_on(Box::pin(future)).unwrap_or_else(|error| failed(&error))
}

fn failed(error: &anyhow::Error) -> ExitCode {
    tracing::error!(error = format!("{error:#}"), "cannot go on");
    ExitCode::FAILURE
}
