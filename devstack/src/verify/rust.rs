//! All Rust tests, against the running stack.

use super::report::Report;
use crate::host::term::{self, Step};
use crate::manifest::Manifest;
use crate::run::build::cargo;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};

pub(super) async fn run(report: &mut Report, manifest: &Manifest) {
    let step = Step::long("Rust tests");
    match tests(manifest).await {
        Ok((passed, failed)) => report.tests(step, "Rust tests", passed, failed),
        Err(error) => report.check(step, "Rust tests", Err(error)),
    }
}

/// Runs them, shows what is not a passing test, and counts.
async fn tests(manifest: &Manifest) -> anyhow::Result<(usize, usize)> {
    let mut command = cargo();
    command
        .args(["test", "--workspace", "--no-fail-fast"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command.env("REDIS_URL", &manifest.redis_url).env("KAFKA_BROKERS", &manifest.kafka_brokers);
    let mut child = command.spawn()?;
    let output = child.stdout.take().ok_or_else(|| anyhow::anyhow!("no output"))?;
    let (mut passed, mut failed) = (0, 0);
    let mut lines = BufReader::new(output).lines();
    while let Some(line) = lines.next_line().await? {
        if let Some(result) = line.strip_prefix("test result: ") {
            let count = |word: &str| {
                let parts = result.split([';', '.']).map(str::trim);
                parts
                    .filter_map(|part| part.strip_suffix(word))
                    .find_map(|n| n.trim().parse::<usize>().ok())
            };
            passed += count("passed").unwrap_or(0);
            failed += count("failed").unwrap_or(0);
        } else if !line.ends_with("... ok") && !line.is_empty() && !line.starts_with("running ") {
            term::line(&format!("       | {line}"));
        }
    }
    let status = child.wait().await?;
    // A crate that does not compile has no test result.
    if !status.success() && failed == 0 {
        failed = 1;
    }
    Ok((passed, failed))
}
