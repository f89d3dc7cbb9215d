//! The frame of a service's `main`: settings, commands, telemetry, both listeners, the stop.

use crate::config::{self, Common};
use crate::health::Health;
use crate::http::{self, Door};
use crate::lifecycle::Lifecycle;
use crate::span;
use crate::telemetry;
use anyhow::Context;
use axum::Router;
use clap::{CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::io::Write;
use std::num::NonZeroU16;
use std::process::ExitCode;
use tokio::runtime::Builder;

/// What a service was asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Run (the default).
    Serve,
    /// Bring the database's schema up to date.
    Migrate,
    /// A tool of the service's own, by name, with what stands after it.
    Tool(&'static str, Vec<String>),
}

/// A tool that needs no settings: its name, and what runs with the words after it.
pub type PlainTool = (&'static str, fn(&[String]) -> ExitCode);

/// What a service can do beside serving.
#[derive(Clone, Copy, Default)]
pub struct Tools {
    /// Those that need no settings.
    pub plain: &'static [PlainTool],
    /// Those that need the service's settings: they come as [`Task::Tool`].
    pub set: &'static [&'static str],
}

/// The whole `main`: reads the command line, starts logging, runs what was asked for.
pub fn main<C: CommandFactory + FromArgMatches>(
    openapi: &str,
    tools: Tools,
    common: impl FnOnce(&C) -> &Common,
    run: impl AsyncFnOnce(Task, C) -> anyhow::Result<ExitCode>,
) -> ExitCode {
    match arguments::<C>(openapi, tools) {
        Ok((task, config)) => {
            let common = common(&config);
            if let Err(problem) = observe(common, C::command().get_name()) {
                return usage_error(&problem);
            }
            let code = block_on(common.worker_threads, run(task, config));
            span::stop();
            code
        }
        Err(code) => code,
    }
}

/// Reads the command line: words first, settings after them. What needs no settings is answered
/// here.
///
/// # Errors
/// The exit code, after the reason was printed.
fn arguments<C: CommandFactory + FromArgMatches>(
    openapi: &str,
    tools: Tools,
) -> Result<(Task, C), ExitCode> {
    let args: Vec<OsString> = std::env::args_os().collect();
    let plain = |arg: &&OsString| arg.to_str().is_some_and(|text| !text.starts_with('-'));
    let words: Vec<String> = args
        .iter()
        .skip(1)
        .take_while(plain)
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let rest: Vec<OsString> =
        args.iter().take(1).chain(args.iter().skip(1 + words.len())).cloned().collect();
    let task = task::<C>(openapi, tools, &words)?;
    match config::parse(&rest) {
        Ok(settings) => Ok((task, settings)),
        Err((text, 0)) => Err(print(&text)),
        Err((text, code)) => {
            complain(&text);
            Err(ExitCode::from(code))
        }
    }
}

fn task<C: CommandFactory>(
    openapi: &str,
    tools: Tools,
    words: &[String],
) -> Result<Task, ExitCode> {
    let word = words.first().map(String::as_str);
    if let Some((_, run)) = tools.plain.iter().find(|(name, _)| Some(*name) == word) {
        return Err(run(&words[1..]));
    }
    if let Some(name) = tools.set.iter().find(|name| Some(**name) == word) {
        return Ok(Task::Tool(name, words[1..].to_vec()));
    }
    match word {
        None | Some("serve") => Ok(Task::Serve),
        Some("migrate") => Ok(Task::Migrate),
        Some("openapi") => Err(print(openapi)),
        Some("config") => Err(print(&config::describe::<C>())),
        Some(other) => {
            let own = tools.plain.iter().map(|(name, _)| *name).chain(tools.set.iter().copied());
            let all: Vec<&str> =
                ["serve", "migrate", "openapi", "config"].into_iter().chain(own).collect();
            complain(&format!("no command {other}: {}\n", all.join(", ")));
            Err(ExitCode::from(config::EXIT_USAGE))
        }
    }
}

/// Reports a wrong setting that shows only when it is used (a key file), as the others are.
#[must_use]
pub fn usage_error(text: &str) -> ExitCode {
    complain(&format!("{text}\n"));
    ExitCode::from(config::EXIT_USAGE)
}

/// Prints what a tool has to say.
#[must_use]
pub fn print(text: &str) -> ExitCode {
    // A closed pipe is the reader's choice, not an error of ours.
    let _ = std::io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}

fn complain(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Starts logging, metrics and spans, before anything that may want to use them.
fn observe(config: &Common, service: &str) -> Result<(), String> {
    telemetry::start(config);
    telemetry::metrics();
    config.otlp_endpoint.as_ref().map_or(Ok(()), |endpoint| span::start(endpoint, service))
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
    door: Option<Door>,
) -> anyhow::Result<ExitCode> {
    let bind = |address| http::bind(address).with_context(|| format!("cannot bind {address}"));
    let (listener, admin) = (bind(config.http_addr)?, bind(config.admin_addr)?);
    life.spawn_behind("upkeep", telemetry::upkeep());
    http::serve(&life, listener, public, door);
    http::serve_admin(&life, admin, http::admin_router(health, &life));
    tracing::info!(http = %config.http_addr, admin = %config.admin_addr, "serving");
    Ok(life.run(config.shutdown_grace).await)
}

/// Runs the program's future on a runtime of its own, with so many threads (else one for each core); an error is
/// logged and gives exit code 1.
fn block_on(
    threads: Option<NonZeroU16>,
    future: impl Future<Output = anyhow::Result<ExitCode>>,
) -> ExitCode {
    let mut builder = Builder::new_multi_thread();
    if let Some(threads) = threads {
        builder.worker_threads(threads.get().into());
    }
    let runtime = match builder.enable_all().build() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::runtime::Handle;

    #[test]
    fn a_service_has_as_many_threads_as_it_is_given() {
        for threads in [1, 3] {
            let mut seen = 0;
            let code = block_on(NonZeroU16::new(threads), async {
                seen = Handle::current().metrics().num_workers();
                Ok(ExitCode::SUCCESS)
            });
            assert_eq!((code, seen), (ExitCode::SUCCESS, threads.into()));
        }
    }
}
