//! Redis, without persistence: what it holds can be filled again from the services.

use super::{Server, launch, wait_ready};
use crate::host::folder::DataFolder;
use crate::host::install::debian;
use crate::host::port;
use crate::host::process::Register;
use crate::host::term::Step;
use nix::sys::signal::Signal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(super) async fn start(
    folder: &DataFolder,
    register: &Register,
) -> anyhow::Result<(String, Option<Server>)> {
    debian("redis-server", &["redis-server"]).await?;
    let step = Step::quiet("Redis");
    let data = folder.fresh("redis", None)?;
    let [port] = port::free()?;
    let port_text = port.to_string();
    let data_text = data.display().to_string();
    let argv = [
        "redis-server",
        "--port",
        &port_text,
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        &data_text,
    ];
    let argv = argv.iter().map(ToString::to_string).collect();
    let log = folder.path().join("redis.log");
    let server = launch(register, "Redis", argv, Signal::SIGTERM, &log, None)?;
    wait_ready(&server, &log, async || ping(port).await.is_ok()).await?;
    step.done(&format!("on 127.0.0.1:{port}"));
    Ok((format!("redis://127.0.0.1:{port}"), Some(server)))
}

pub(super) async fn ping(port: u16) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(b"PING\r\n").await?;
    let mut answer = [0_u8; 5];
    stream.read_exact(&mut answer).await?;
    anyhow::ensure!(&answer == b"+PONG", "it answers something else");
    Ok(())
}
