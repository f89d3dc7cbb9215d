//! The product's own binaries, built by the cargo that runs us.

use crate::host::folder;
use crate::host::term::Step;
use anyhow::Context;
use std::path::PathBuf;
use tokio::process::Command;

/// Builds all binaries of the workspace as we were built: what measures (`--release`) measures what
/// would be shipped, the demo and the tests share one build. Cargo's own progress is shown.
///
/// # Errors
/// When the build fails.
pub async fn binaries() -> anyhow::Result<()> {
    let shipped = folder_of_ours()?.ends_with("release");
    let step = if shipped {
        Step::long("building the services with optimisation (minutes, the first time)")
    } else {
        Step::quiet("the services are built")
    };
    let status = cargo()
        .args(["build", "--workspace", "--bins"])
        .args(shipped.then_some("--release"))
        .status()
        .await
        .context("cannot start cargo")?;
    anyhow::ensure!(status.success(), "the build failed");
    step.done("");
    Ok(())
}

/// The cargo that runs us, in the checkout, with the checkout's own target folder.
#[must_use]
pub fn cargo() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(folder::root()).kill_on_drop(true);
    command
}

/// Where a binary is: beside our own.
///
/// # Errors
/// When our own place cannot be told.
pub fn binary(name: &str) -> anyhow::Result<PathBuf> {
    Ok(folder_of_ours()?.join(name))
}

fn folder_of_ours() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    // Tests run from target/debug/deps, programs from target/debug.
    let folder = own.parent().context("no folder")?;
    let folder =
        if folder.ends_with("deps") { folder.parent().context("no folder")? } else { folder };
    Ok(folder.to_owned())
}
