//! Accepting connections, and what each may keep us waiting for.

use crate::lifecycle::Lifecycle;
use axum::Router;
use axum::extract::{ConnectInfo, Request};
use futures_util::future::BoxFuture;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;
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

/// Lets somebody in, by the address of the connection, or does not; what is given is held until the
/// connection ends or becomes something else than HTTP.
pub type Door = Arc<dyn Fn(IpAddr) -> Option<Box<dyn Send>> + Send + Sync>;

/// Who is served, and for how long.
pub(super) struct Site {
    pub(super) life: Lifecycle,
    pub(super) router: Router,
    pub(super) door: Option<Door>,
    /// Nobody is accepted any more, and who is there is answered once more.
    pub(super) until: CancellationToken,
}

/// Accepts until the site closes; who is let in is served on tasks that `spawn` starts.
pub(super) async fn connections(
    site: &Site,
    listener: &TcpListener,
    spawn: impl Fn(BoxFuture<'static, ()>),
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = site.until.cancelled() => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Some(place) = site.admit(peer.ip()) else {
                    turn_away(&stream);
                    continue;
                };
                prepare(&stream);
                let served = site.connection(stream, peer);
                spawn(Box::pin(async move {
                    served.await;
                    drop(place);
                }));
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
    patient(stream, DEAF);
}

/// Ends a connection that takes nothing for so long (RFC 5482).
pub fn patient(stream: &TcpStream, long: Duration) {
    let _ = SockRef::from(stream).set_tcp_user_timeout(Some(long));
}

/// Says so without reading what was asked: that is what there is no room for.
fn turn_away(stream: &TcpStream) {
    metrics::counter!("http_connections_refused_total").increment(1);
    let wait = fastrand::u32(1..=5);
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: {wait}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    let _ = stream.try_write(answer.as_bytes());
}

impl Site {
    fn admit(&self, peer: IpAddr) -> Option<Box<dyn Send>> {
        self.door.as_ref().map_or_else(|| Some(Box::new(()) as Box<dyn Send>), |door| door(peer))
    }

    fn connection(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> impl Future<Output = ()> + Send + use<> {
        let hard = self.life.hard().clone();
        serve(stream, peer, self.router.clone(), self.until.clone(), hard)
    }
}

/// One connection: until its end, or until it has answered what it was asked when the site closed.
async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    until: CancellationToken,
    hard: CancellationToken,
) {
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
        () = until.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = hard.cancelled() => {}
    }
}
