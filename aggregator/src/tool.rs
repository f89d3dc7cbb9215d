//! Tools of the command line that need no settings.

mod samples;

use crate::source;
use service_kit::config::EXIT_USAGE;
use service_kit::service;
use std::path::Path;
use std::process::ExitCode;

const HELP: &str = "aggregator source try FOLDER\n    Reads every sample below FOLDER (FOLDER/<source>/<file>) and prints what comes out.\n";

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
        ["try", folder] => match samples::try_all(Path::new(folder)) {
            Ok(report) => report.print(),
            Err(error) => service::usage_error(&format!("{folder}: {error}")),
        },
        _ => {
            service::print(HELP);
            ExitCode::from(EXIT_USAGE)
        }
    }
}
