//! One viewer's socket: never waits.

use crate::peer::{Peer, Wish};
use mio::net::TcpStream;
use socket2::SockRef;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tungstenite::handshake::MidHandshake;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{ClientHandshake, Error, HandshakeError, Message, WebSocket, client};

type Greeting = MidHandshake<ClientHandshake<TcpStream>>;

/// How far a socket is.
enum Stage {
    /// Not connected.
    Away,
    /// Its HTTP request is under way.
    Greeting(Box<Greeting>),
    /// It was answered at once; whoever reads it does not know yet.
    Opened(Box<WebSocket<TcpStream>>),
    /// It speaks frames.
    Open(Box<WebSocket<TcpStream>>),
}

/// What reading a socket gave.
pub(crate) enum Read {
    /// The socket speaks frames from now on.
    Opened,
    /// A text frame.
    Text(String),
    /// A close frame with its code.
    Closed(u16),
    /// Nothing more at the moment.
    Empty,
    /// It is gone, or was refused.
    Gone,
}

/// A viewer.
pub(crate) struct Socket {
    stage: Stage,
    pub(crate) wish: Wish,
    /// Highest version that it has.
    pub(crate) version: u64,
    /// Whether it is subscribed.
    pub(crate) ready: bool,
    /// When it began to connect.
    pub(crate) started: Instant,
    /// When it lost its server.
    pub(crate) lost: Option<Instant>,
    /// How long the server asked it to stay away.
    pub(crate) back_after: Option<Duration>,
}

impl Socket {
    pub(crate) fn new(wish: Wish) -> Self {
        Self {
            stage: Stage::Away,
            wish,
            version: 0,
            ready: false,
            started: Instant::now(),
            lost: None,
            back_after: None,
        }
    }

    /// Begins to connect; `register` puts the stream under watch first.
    pub(crate) fn connect(
        &mut self,
        peer: &dyn Peer,
        address: SocketAddr,
        register: impl FnOnce(&mut TcpStream) -> std::io::Result<()>,
    ) -> anyhow::Result<()> {
        self.started = Instant::now();
        (self.ready, self.back_after) = (false, None);
        let request = peer.request(&address.to_string())?;
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        // Closing resets: else thousands of ports would wait out their time between two rounds.
        SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        register(&mut stream)?;
        let config = WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0);
        self.stage = match client::client_with_config(request, stream, Some(config)) {
            Ok((socket, _)) => Stage::Opened(Box::new(socket)),
            Err(HandshakeError::Interrupted(greeting)) => Stage::Greeting(Box::new(greeting)),
            Err(HandshakeError::Failure(_)) => Stage::Away,
        };
        Ok(())
    }

    /// Reads on. After `Opened`, `Text` and `Closed` there may be more.
    pub(crate) fn read(&mut self) -> Read {
        match std::mem::replace(&mut self.stage, Stage::Away) {
            Stage::Away => Read::Gone,
            Stage::Greeting(greeting) => self.greet(*greeting),
            Stage::Opened(socket) => {
                self.stage = Stage::Open(socket);
                Read::Opened
            }
            Stage::Open(mut socket) => {
                let read = receive(&mut socket);
                if !matches!(read, Read::Gone) {
                    self.stage = Stage::Open(socket);
                }
                read
            }
        }
    }

    fn greet(&mut self, greeting: Greeting) -> Read {
        match greeting.handshake() {
            Ok((socket, _)) => {
                self.stage = Stage::Open(Box::new(socket));
                Read::Opened
            }
            Err(HandshakeError::Interrupted(greeting)) => {
                self.stage = Stage::Greeting(Box::new(greeting));
                Read::Empty
            }
            Err(HandshakeError::Failure(_)) => Read::Gone,
        }
    }

    /// Sends frames; they are small, and a socket that does not take them ends.
    pub(crate) fn send(&mut self, frames: impl IntoIterator<Item = String>) {
        if let Stage::Open(socket) = &mut self.stage {
            let sent = frames.into_iter().try_for_each(|text| socket.write(Message::text(text)));
            if sent.and_then(|()| socket.flush()).is_err() {
                self.stage = Stage::Away;
            }
        }
    }

    /// Ends without a word.
    pub(crate) fn drop_connection(&mut self) {
        (self.stage, self.ready) = (Stage::Away, false);
    }

    /// The stream, to change how it is watched.
    pub(crate) fn stream(&mut self) -> Option<&mut TcpStream> {
        match &mut self.stage {
            Stage::Open(socket) => Some(socket.get_mut()),
            Stage::Opened(_) | Stage::Away | Stage::Greeting(_) => None,
        }
    }
}

fn receive(socket: &mut WebSocket<TcpStream>) -> Read {
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => return Read::Text(text.as_str().to_owned()),
            Ok(Message::Close(frame)) => {
                return Read::Closed(frame.map_or(1005, |frame| frame.code.into()));
            }
            Ok(_) => {}
            Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {
                return Read::Empty;
            }
            Err(_) => return Read::Gone,
        }
    }
}
