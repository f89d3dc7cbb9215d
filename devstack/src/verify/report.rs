//! Counts what passed and what failed.

use crate::host::term::{self, Step};
use std::process::ExitCode;
use tokio::process::Command;

/// The result so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    passed: usize,
    failed: usize,
    failures: Vec<String>,
}

impl Report {
    /// Notes a check.
    pub(super) fn check(&mut self, step: Step, name: &str, result: anyhow::Result<String>) {
        match result {
            Ok(detail) => {
                self.passed += 1;
                step.done(&detail);
            }
            Err(error) => {
                term::line(&format!("  FAIL {name}: {error:#}"));
                self.failed += 1;
                self.failures.push(name.to_owned());
            }
        }
    }

    /// Notes tests that were counted by another runner.
    pub(super) fn tests(&mut self, step: Step, name: &str, passed: usize, failed: usize) {
        self.passed += passed;
        self.failed += failed;
        if failed == 0 {
            step.done(&format!("{passed} passed"));
        } else {
            term::line(&format!("  FAIL {name}: {passed} passed, {failed} failed"));
            self.failures.push(name.to_owned());
        }
    }

    /// Runs a program as a check; its output is shown as it comes.
    pub(super) async fn program(&mut self, name: &str, command: &mut Command) {
        let step = Step::long(name);
        let result = command.status().await.map_err(anyhow::Error::from).and_then(|status| {
            anyhow::ensure!(status.success(), "it ended with {status}");
            Ok(String::new())
        });
        self.check(step, name, result);
    }

    /// The last line, and the exit code.
    pub(super) fn finish(self) -> ExitCode {
        if !self.failures.is_empty() {
            term::line(&format!("\nfailed: {}", self.failures.join(", ")));
        }
        term::line(&format!("\n{} passed, {} failed", self.passed, self.failed));
        if self.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
