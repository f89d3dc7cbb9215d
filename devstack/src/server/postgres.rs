//! `PostgreSQL`: `initdb` and `postgres` as user `postgres` when we are root (they refuse root).

use super::{Server, launch, unprivileged, wait_ready};
use crate::host::folder::DataFolder;
use crate::host::install::{debian, quiet};
use crate::host::port;
use crate::host::process::Register;
use crate::host::term::Step;
use anyhow::Context;
use nix::sys::signal::Signal;
use std::path::PathBuf;
use tokio::net::TcpStream;
use tokio::process::Command;

pub(super) async fn start(
    folder: &DataFolder,
    register: &Register,
) -> anyhow::Result<(String, Option<Server>)> {
    if programs().is_none() {
        debian("/usr/lib/postgresql/15/bin/postgres", &["postgresql"]).await?;
    }
    let bin = programs().context("no server programs under /usr/lib/postgresql")?;
    let step = Step::quiet("PostgreSQL");
    let user = unprivileged("postgres")?;
    let owner = user.as_ref().map(|u| (u.uid.as_raw(), u.gid.as_raw()));
    let data = folder.fresh("postgres", owner)?;
    let mut init = Command::new(bin.join("initdb"));
    init.args([
        "-U",
        "milepost",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
        "-D",
    ])
    .arg(&data);
    if let Some((uid, gid)) = owner {
        init.uid(uid).gid(gid).current_dir("/");
    }
    quiet(&mut init).await.context("initdb failed")?;
    let [port] = port::free()?;
    let mut argv =
        vec![bin.join("postgres").display().to_string(), "-D".into(), data.display().to_string()];
    for setting in settings(port, &data.display().to_string()) {
        argv.extend(["-c".to_owned(), setting]);
    }
    let log = folder.path().join("postgres.log");
    // SIGINT is Postgres's fast shutdown: it does not wait for clients to leave.
    let server = launch(register, "PostgreSQL", argv, Signal::SIGINT, &log, user.as_ref())?;
    let psql = bin.join("psql");
    wait_ready(&server, &log, async || {
        if TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            return false;
        }
        let mut ask = Command::new(&psql);
        ask.args(["-h", "127.0.0.1", "-U", "milepost", "-c", "select 1", "postgres", "-p"])
            .arg(port.to_string());
        ask.output().await.is_ok_and(|out| out.status.success())
    })
    .await?;
    step.done(&format!("on 127.0.0.1:{port}"));
    Ok((format!("postgres://milepost@127.0.0.1:{port}"), Some(server)))
}

/// The newest installed server's programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let found = versions.map(|v| v.path().join("bin")).filter(|bin| bin.join("postgres").exists());
    found.max()
}

/// The data goes with the run, so nothing is waited for on disk; all else is as in production (see
/// "The database" in `docs/operations.md`).
fn settings(port: u16, data: &str) -> Vec<String> {
    let fixed = [
        "listen_addresses=127.0.0.1",
        "fsync=off",
        "max_connections=200",
        "shared_buffers=1GB",
        "max_wal_size=4GB",
    ];
    let mut all: Vec<String> = fixed.iter().map(ToString::to_string).collect();
    all.extend([
        format!("port={port}"),
        format!("unix_socket_directories={data}"),
        "log_min_messages=warning".into(),
    ]);
    all
}
