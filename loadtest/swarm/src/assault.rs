//! Somebody at one address who opens connections without end: live ones with a good token, and requests
//! that are never finished.

use anyhow::Context;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// Where it comes from: not where the other viewers are.
const FROM: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
/// Connections that are being opened at a time.
const AT_ONCE: usize = 200;
/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// What it says on each connection.
#[derive(Debug, Clone)]
pub(crate) enum Said {
    /// A whole request for a live connection.
    Live(String),
    /// The beginning of a request.
    Half,
}

/// What became of one connection.
enum Became {
    Open(TcpStream),
    /// 503, with the seconds after which it may come again.
    Refused(u64),
    Cut,
}

/// What became of all.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Those that are let in, as long as they are wanted.
    pub(crate) open: Vec<TcpStream>,
    /// Those that got a 503.
    pub(crate) refused: u64,
    /// The spread of `Retry-After`, in seconds.
    pub(crate) come_again: Option<(u64, u64)>,
    /// Those that got nothing at all.
    pub(crate) cut: u64,
    /// How long it took to open them.
    pub(crate) took: Duration,
}

/// An assault under way.
pub(crate) struct Assault(JoinHandle<Outcome>);

impl Assault {
    /// Begins: so many connections to one address.
    pub(crate) fn begin(runtime: &Runtime, to: SocketAddr, count: usize, said: &Said) -> Self {
        let said = said.clone();
        Self(runtime.spawn(async move { all(to, count, &said).await }))
    }

    /// Whether every connection has come to something.
    pub(crate) fn done(&self) -> bool {
        self.0.is_finished()
    }

    /// What became of it.
    pub(crate) fn finish(self, runtime: &Runtime) -> anyhow::Result<Outcome> {
        Ok(runtime.block_on(self.0)?)
    }
}

async fn all(to: SocketAddr, count: usize, said: &Said) -> Outcome {
    let (start, places) = (Instant::now(), Arc::new(Semaphore::new(AT_ONCE)));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..count {
        let (said, places) = (said.clone(), places.clone());
        tasks.spawn(async move {
            let _place = places.acquire_owned().await;
            one(to, &said).await.unwrap_or(Became::Cut)
        });
    }
    let mut outcome = Outcome::default();
    while let Some(became) = tasks.join_next().await {
        outcome.note(became.unwrap_or(Became::Cut));
    }
    Outcome { took: start.elapsed(), ..outcome }
}

async fn one(to: SocketAddr, said: &Said) -> anyhow::Result<Became> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(FROM, 0))?;
    let mut stream = tokio::time::timeout(PATIENCE, socket.connect(to)).await??;
    let (request, wait) = match said {
        Said::Live(token) => (live(token), PATIENCE),
        // Whoever is let in hears nothing: that is the point.
        Said::Half => ("GET /v1/live HTTP/1.1\r\nhost: x\r\nx-slow: ".to_owned(), PATIENCE / 5),
    };
    stream.write_all(request.as_bytes()).await?;
    let mut head = [0; 512];
    let Ok(read) = tokio::time::timeout(wait, stream.read(&mut head)).await else {
        return Ok(Became::Open(stream));
    };
    let head = String::from_utf8_lossy(&head[..read?]).to_ascii_lowercase();
    let status = head.split_whitespace().nth(1).context("no answer")?;
    Ok(match status {
        "101" => Became::Open(stream),
        "503" => Became::Refused(retry_after(&head).context("no time to come again")?),
        _ => Became::Cut,
    })
}

fn retry_after(head: &str) -> Option<u64> {
    head.lines().find_map(|line| line.strip_prefix("retry-after:"))?.trim().parse().ok()
}

fn live(token: &str) -> String {
    format!(
        "GET /v1/live HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: c3dhcm0tc3dhcm0tMTIzNA==\r\n\
         sec-websocket-protocol: milepost.v1, bearer.{token}\r\n\r\n"
    )
}

impl Outcome {
    fn note(&mut self, became: Became) {
        match became {
            Became::Open(stream) => self.open.push(stream),
            Became::Cut => self.cut += 1,
            Became::Refused(after) => {
                self.refused += 1;
                let (least, most) = self.come_again.unwrap_or((after, after));
                self.come_again = Some((least.min(after), most.max(after)));
            }
        }
    }
}
