//! Accepting connections, and what each may keep us waiting for.

use crate::lifecycle::Lifecycle;
use axum::Router;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tower_service::Service;

/// Connections that wait to be accepted; the kernel may cap it (`net.core.somaxconn`). What comes on
/// top when thousands connect at once is tried again by them after a whole second.
const BACKLOG: u32 = 4096;
/// A connection that takes nothing for so long ends (RFC 5482): a stream has no other way to notice.
const DEAF: Duration = Duration::from_secs(10);
/// A request's head is there within this, the first one's and the next one's: who sends a byte now
/// and then would hold a connection for nothing.
const HEAD: Duration = Duration::from_secs(15);
/// Longest head of a request, in bytes; a longer one is answered with 431.
const LONGEST_HEAD: usize = 32 * 1024;

/// Listens on an address.
///
/// # Errors
/// When it cannot be bound.
pub fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // Else a restart would wait for the connections of the last run.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts until the soft stop.
pub(super) async fn connections(life: &Lifecycle, listener: &TcpListener, router: &Router) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = life.soft().cancelled() => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                prepare(&stream);
                life.spawn_light(connection(life.clone(), stream, peer, router.clone()));
            }
            // No file handle is left, or the peer has gone already: the others are still served.
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

fn prepare(stream: &TcpStream) {
    // Without TCP_NODELAY the second small frame of a handshake waits for a delayed ACK (40 ms).
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(stream).set_tcp_user_timeout(Some(DEAF));
}

/// One connection: until its end, or until it has answered what it was asked when the stop came.
async fn connection(life: Lifecycle, stream: TcpStream, peer: SocketAddr, router: Router) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    tokio::select! {
        // How it ended is the peer's affair: most go without a word.
        _ = connection.as_mut() => return,
        () = life.soft().cancelled() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = life.hard().cancelled() => {}
    }
}
