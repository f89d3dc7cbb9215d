//! Tools of the command line that need no settings.

mod samples;
mod script;
mod signed;

use crate::source;
use service_kit::config::EXIT_USAGE;
use service_kit::service;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "aggregator source test FILE SAMPLE
    Checks a source's file, reads a sample with it and prints what comes out.
aggregator source try FOLDER
    Reads every sample below FOLDER (FOLDER/<source>/<file>) and prints what comes out.
aggregator source signed SOURCE SECRETS BODY ['NAME: VALUE' | /SECRET | '?QUERY' | @TIME ...]
    Holds a call that a vendor made (its body in a file, as it came; its headers, the secret or the query of its
    address, and when it came, unless just now) against a file of secrets. SOURCES_DIR: sources without code.
";

/// `aggregator sources`: the table of all sources, as in `docs/sources.md`.
#[must_use]
pub fn sources(_words: &[String]) -> ExitCode {
    service::print(&source::document())
}

/// `aggregator source …`.
#[must_use]
pub fn source(words: &[String]) -> ExitCode {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test", file, sample] => report(script::test(Path::new(file), Path::new(sample))),
        ["try", folder] => report(
            samples::try_all(Path::new(folder)).map_err(|error| format!("{folder}: {error}")),
        ),
        ["signed", source, secrets, body, call @ ..] => {
            let folder = std::env::var_os("SOURCES_DIR").map(PathBuf::from);
            let (secrets, body) = (Path::new(secrets), Path::new(body));
            report(signed::check(source, secrets, body, call, folder.as_deref()))
        }
        _ => {
            let _ = service::print(HELP);
            ExitCode::from(EXIT_USAGE)
        }
    }
}

/// Prints a report, or why there is none.
fn report(made: Result<samples::Report, String>) -> ExitCode {
    match made {
        Ok(report) => report.print(),
        Err(why) => service::usage_error(&why),
    }
}
