//! Listens to one server. Messages are handed on as they lie in the buffer: of what a gateway hears,
//! most is for viewers of others, and the library's values (a list of three, each with its copy) cost
//! more than all else that is done with it.

use super::PATIENCE;
use super::heard::Heard;
use super::reply::{self, Reply};
use bytes::{Buf, BytesMut};
use contract::name::Shard;
use redis::{Client, Cmd, ConnectionAddr, RedisConnectionInfo, RedisError, cmd};
use socket2::{SockRef, TcpKeepalive};
use std::io::{Error, ErrorKind};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

/// Room for what comes at once; a longer message makes it grow.
const ROOM: usize = 64 * 1024;
/// A server that lost its power says nothing: it is asked after so long, and every so often.
const KEEPALIVE: Duration = Duration::from_secs(5);

/// What bytes come over.
enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
    #[cfg(test)]
    Pipe(tokio::io::DuplexStream),
    /// Nothing any more: it was resting when it was dropped.
    Gone,
}

/// A connection that only listens.
pub(super) struct Listener {
    socket: Socket,
    buffer: BytesMut,
    /// Bytes at its beginning that were handed on.
    taken: usize,
    /// The last reading took all that there was room for: there may be more.
    full: bool,
}

impl Listener {
    /// Connects, says who it is, and subscribes to all shards.
    pub(super) async fn open(url: &str) -> Result<Self, RedisError> {
        let info = Client::open(url)?.get_connection_info().clone();
        let opened = tokio::time::timeout(PATIENCE, async {
            let socket = connect(info.addr()).await?;
            let mut listener =
                Self { socket, buffer: BytesMut::with_capacity(ROOM), taken: 0, full: false };
            if let Some(login) = login(info.redis_settings()) {
                listener.ask(&login).await?;
            }
            let mut subscribe = cmd("SUBSCRIBE");
            subscribe.arg(Shard::all().map(Shard::pubsub).collect::<Vec<_>>());
            listener.ask(&subscribe).await?;
            Ok(listener)
        });
        opened.await.map_err(|_| Error::from(ErrorKind::TimedOut))?
    }

    /// Sends a command, and waits for the first reply to it.
    async fn ask(&mut self, command: &Cmd) -> Result<(), RedisError> {
        self.socket.write(&command.get_packed_command()).await?;
        let (_, length) = self.reply().await?;
        self.buffer.advance(length);
        Ok(())
    }

    /// The next message. Cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Heard<'_>, RedisError> {
        self.buffer.advance(std::mem::take(&mut self.taken));
        let (channel, payload) = loop {
            let (reply, length) = self.reply().await?;
            if let Reply::Message { channel, payload } = reply {
                self.taken = length;
                break (channel, payload);
            }
            self.buffer.advance(length);
        };
        let channel = std::str::from_utf8(&self.buffer[channel]).map_err(|_| reply::broken())?;
        Ok(Heard::Said { channel, payload: &self.buffer[payload] })
    }

    /// Whether all that had come in was handed on, but for the beginning of something.
    pub(super) fn is_drained(&self) -> bool {
        !self.full && matches!(reply::read(&self.buffer[self.taken..]), Ok(None))
    }

    /// Looks at nothing for a while: what comes meanwhile is read in one go, and wakes nobody (the
    /// runtime is woken for all that comes on a socket that it knows of). Dropped before its end, it
    /// ends the connection.
    pub(super) async fn rest(&mut self, pause: Duration) -> Result<(), RedisError> {
        match std::mem::replace(&mut self.socket, Socket::Gone) {
            Socket::Tcp(socket) => {
                let socket = socket.into_std()?;
                tokio::time::sleep(pause).await;
                self.socket = Socket::Tcp(TcpStream::from_std(socket)?);
            }
            other => {
                self.socket = other;
                tokio::time::sleep(pause).await;
            }
        }
        Ok(())
    }

    /// The reply at the beginning of the buffer, and how long it is.
    async fn reply(&mut self) -> Result<(Reply, usize), RedisError> {
        loop {
            if let Some(found) = reply::read(&self.buffer)? {
                return Ok(found);
            }
            self.buffer.reserve(ROOM / 4);
            let room = self.buffer.capacity() - self.buffer.len();
            let read = self.socket.read(&mut self.buffer).await?;
            if read == 0 {
                return Err(Error::from(ErrorKind::UnexpectedEof).into());
            }
            self.full = read == room;
        }
    }
}

impl Socket {
    async fn read(&mut self, into: &mut BytesMut) -> std::io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.read_buf(into).await,
            Self::Unix(socket) => socket.read_buf(into).await,
            #[cfg(test)]
            Self::Pipe(pipe) => pipe.read_buf(into).await,
            Self::Gone => Ok(0),
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Self::Tcp(socket) => socket.write_all(bytes).await,
            Self::Unix(socket) => socket.write_all(bytes).await,
            #[cfg(test)]
            Self::Pipe(pipe) => pipe.write_all(bytes).await,
            Self::Gone => Err(ErrorKind::NotConnected.into()),
        }
    }
}

async fn connect(address: &ConnectionAddr) -> Result<Socket, RedisError> {
    match address {
        ConnectionAddr::Tcp(host, port) => {
            let socket = TcpStream::connect((host.as_str(), *port)).await?;
            socket.set_nodelay(true)?;
            let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE);
            SockRef::from(&socket).set_tcp_keepalive(&keepalive)?;
            Ok(Socket::Tcp(socket))
        }
        ConnectionAddr::Unix(path) => Ok(Socket::Unix(UnixStream::connect(path).await?)),
        _ => Err(Error::from(ErrorKind::Unsupported).into()),
    }
}

fn login(settings: &RedisConnectionInfo) -> Option<Cmd> {
    let mut login = cmd("AUTH");
    if let Some(name) = settings.username() {
        login.arg(name);
    }
    login.arg(settings.password()?);
    Some(login)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::DuplexStream;

    fn listener(room: usize) -> (Listener, DuplexStream) {
        let (ours, theirs) = tokio::io::duplex(room);
        (
            Listener { socket: Socket::Pipe(ours), buffer: BytesMut::new(), taken: 0, full: false },
            theirs,
        )
    }

    fn message(payload: &str) -> String {
        format!("*3\r\n$7\r\nmessage\r\n$9\r\nlive:{{07}}\r\n${}\r\n{payload}\r\n", payload.len())
    }

    #[tokio::test]
    async fn messages_come_whole_however_they_are_cut() {
        let payloads = ["", "a", "đơn hàng\r\n*3\r\n$7\r\nmessage", &"x".repeat(300_000)];
        for room in [1, 7, 4_096] {
            let (mut listener, mut server) = listener(room);
            let sent = payloads.map(message).join("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
            let sending = async move { server.write_all(sent.as_bytes()).await.unwrap() };
            let hearing = async {
                for expected in payloads {
                    let heard = listener.next().await.unwrap();
                    let Heard::Said { channel, payload } = heard else { panic!("{heard:?}") };
                    assert_eq!((channel, payload), ("live:{07}", expected.as_bytes()));
                }
            };
            tokio::join!(sending, hearing);
            assert!(listener.is_drained());
            assert!(listener.next().await.is_err(), "the server is gone");
        }
    }

    #[tokio::test]
    async fn nobody_rests_while_there_is_more_to_read() {
        let (mut listener, mut server) = listener(1_000_000);
        let (said, count) = (message(&"x".repeat(999)), 500);
        server.write_all(said.repeat(count).as_bytes()).await.unwrap();
        for number in 1..=count {
            listener.next().await.unwrap();
            assert_eq!(listener.is_drained(), number == count, "{number}");
        }
    }

    #[tokio::test]
    async fn what_comes_while_it_rests_is_heard_afterwards() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ours = TcpStream::connect(server.local_addr().unwrap()).await.unwrap();
        let (mut theirs, _) = server.accept().await.unwrap();
        let (socket, buffer) = (Socket::Tcp(ours), BytesMut::new());
        let mut listener = Listener { socket, buffer, taken: 0, full: false };
        for payload in ["a", "b"] {
            let message = message(payload);
            let (said, rested) = tokio::join!(
                theirs.write_all(message.as_bytes()),
                listener.rest(Duration::from_millis(5)),
            );
            said.unwrap();
            rested.unwrap();
            let heard = listener.next().await.unwrap();
            let Heard::Said { payload: heard, .. } = heard else { panic!("{heard:?}") };
            assert_eq!(heard, payload.as_bytes());
        }
    }

    #[tokio::test]
    async fn what_a_server_refuses_is_an_error() {
        let (mut listener, mut server) = listener(64);
        server.write_all(b"-NOAUTH Authentication required.\r\n").await.unwrap();
        let error = listener.ask(&cmd("SUBSCRIBE")).await.unwrap_err();
        assert!(error.to_string().contains("NOAUTH"), "{error}");
    }
}
