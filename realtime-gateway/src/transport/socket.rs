//! What goes on between the first frame and the last: reading, writing, and the heartbeat.

use super::connection::{Connection, goodbye};
use crate::frame::Frame;
use crate::line::Outcome;
use crate::metric;
use axum::body::Bytes;
use contract::live::Close;
use futures_util::{SinkExt, StreamExt};
use service_kit::clock;
use service_kit::http::patient;
use std::future::poll_fn;
use std::io::ErrorKind;
use std::task::Poll;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_util::sync::CancellationToken;
use tungstenite::error::ProtocolError;
use tungstenite::protocol::CloseFrame;
use tungstenite::{Error, Message, Utf8Bytes};

/// A viewer that takes nothing for so long is sent away. (Nobody waits for that in a test.)
const SLOW: Duration = Duration::from_millis(if cfg!(test) { 200 } else { 10_000 });
/// It may still take this long to hear why.
const LAST: Duration = Duration::from_secs(5);
/// What is dead to the kernel hears nothing any more: later than all that we want to say.
const DEAD: Duration = Duration::from_secs(20);
/// A ping is answered within this.
const PONG: Duration = Duration::from_secs(10);

/// Why nothing can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stuck {
    /// It takes nothing.
    Slow,
    /// It is gone.
    Lost,
}

/// What the wire has a part of.
enum Begun {
    Nothing,
    /// A frame, so many bytes of it.
    Frame(Frame, usize),
    /// Something of the library's own: nothing behind it could be read.
    Foreign,
}

/// What was read of a viewer.
type Read = Option<Result<Message, Error>>;

pub(super) struct Socket {
    stream: WebSocketStream<TcpStream>,
    /// All that came has been read: before the wire has more there is no message.
    empty: bool,
    begun: Begun,
    /// A ping was read, and its answer waits to be written.
    owes_pong: bool,
    /// The end of the process.
    hard: CancellationToken,
    heard: Instant,
    pinged: Instant,
    /// Whether the viewer said something that may have moved the session's deadline.
    pub(super) moved: bool,
}

impl Socket {
    pub(super) fn new(stream: WebSocketStream<TcpStream>, hard: CancellationToken) -> Self {
        patient(stream.get_ref(), DEAD);
        let now = Instant::now();
        let (heard, pinged) = (now, now);
        Self {
            stream,
            empty: false,
            begun: Begun::Nothing,
            owes_pong: false,
            hard,
            heard,
            pinged,
            moved: false,
        }
    }

    /// Waits for the next message. Cancel-safe.
    pub(super) async fn recv(&mut self) -> Read {
        poll_fn(|context| {
            // Cheaper than to read in vain, and asked with every delivery.
            if self.empty && self.stream.get_ref().poll_read_ready(context).is_pending() {
                return Poll::Pending;
            }
            let read = self.stream.poll_next_unpin(context);
            self.empty = read.is_pending();
            read
        })
        .await
    }

    /// None when the viewer is gone.
    pub(super) fn heard(&mut self, message: Read, connection: &mut Connection) -> Option<Outcome> {
        self.heard = Instant::now();
        match message? {
            Ok(Message::Text(text)) => {
                self.moved = true;
                Some(connection.tell(|session| session.frame(text.as_str(), clock::now())))
            }
            Ok(Message::Binary(_) | Message::Frame(_)) => {
                Some(connection.close(Close::BrokenFrame))
            }
            Ok(control @ (Message::Ping(_) | Message::Pong(_))) => {
                self.owes_pong |= control.is_ping();
                Some(connection.tell(|session| session.control(clock::now())))
            }
            Ok(Message::Close(_)) => None,
            Err(error) => classify(&error).map(|close| connection.close(close)),
        }
    }

    /// When the session or the heartbeat has to look at the clock.
    pub(super) fn deadline(&self, connection: &Connection) -> Instant {
        let every = Duration::from_millis(connection.gateway.rules.heartbeat_ms);
        let waits = self.pinged > self.heard;
        let beat = if waits { self.pinged + PONG } else { self.pinged.max(self.heard) + every };
        beat.min(connection.deadline(every))
    }

    pub(super) async fn heartbeat(&mut self, connection: &mut Connection) -> Result<Outcome, ()> {
        let now = Instant::now();
        if self.pinged > self.heard && now - self.pinged >= PONG {
            return Ok(connection.close(Close::NoPong));
        }
        let every = Duration::from_millis(connection.gateway.rules.heartbeat_ms);
        if now - self.pinged.max(self.heard) >= every {
            self.pinged = now;
            self.control(Message::Ping(Bytes::new())).await.map_err(drop)?;
        }
        Ok(connection.tick())
    }

    /// Writes frames; after a closing one there is nothing more.
    pub(super) async fn write(
        &mut self,
        connection: &mut Connection,
        outcome: Outcome,
    ) -> Result<(), ()> {
        match self.all(&outcome.frames).await {
            Ok(()) => {}
            Err(Stuck::Slow) => {
                connection.close(Close::TooSlow);
                Box::pin(self.last_words()).await;
                return Err(());
            }
            Err(Stuck::Lost) => return Err(()),
        }
        match outcome.close {
            None => Ok(()),
            Some(close) => {
                Box::pin(self.close(close)).await;
                Err(())
            }
        }
    }

    async fn all(&mut self, frames: &[(&'static str, Frame)]) -> Result<(), Stuck> {
        if std::mem::take(&mut self.owes_pong) {
            let flushed = Box::pin(within(self.hard.clone(), self.stream.flush())).await;
            self.note(flushed)?;
        }
        for (_, frame) in frames {
            self.send(frame).await?;
        }
        Ok(())
    }

    /// Writes a frame, all of it. Past the protocol's library, which would copy it for each viewer: that
    /// has nothing of its own under way, since what it writes is flushed before anything else is.
    async fn send(&mut self, frame: &Frame) -> Result<(), Stuck> {
        let written = self.take(frame.wire())?;
        if written == frame.wire().len() {
            return Ok(());
        }
        self.begun = Begun::Frame(frame.clone(), written);
        Box::pin(self.finish()).await
    }

    /// As much as the wire takes now.
    fn take(&self, bytes: &[u8]) -> Result<usize, Stuck> {
        match self.stream.get_ref().try_write(bytes) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
            written => written.map_err(|_| Stuck::Lost),
        }
    }

    /// Writes what was begun. As long as the viewer takes some of it now and then, it is waited for.
    async fn finish(&mut self) -> Result<(), Stuck> {
        while let Begun::Frame(frame, written) = &self.begun {
            within(self.hard.clone(), self.stream.get_ref().writable()).await?;
            let written = written + self.take(&frame.wire()[*written..])?;
            let whole = written == frame.wire().len();
            self.begun = if whole { Begun::Nothing } else { Begun::Frame(frame.clone(), written) };
        }
        Ok(())
    }

    /// Tells a viewer that took nothing for too long why it is sent away, should it look once more: a
    /// frame that was begun comes first, or nothing behind it could be read.
    async fn last_words(&mut self) {
        let said = async {
            if !matches!(self.begun, Begun::Foreign) && self.finish().await.is_ok() {
                self.close(Close::TooSlow).await;
            }
        };
        let _ = timeout(LAST, said).await;
    }

    /// Says why, and waits a little for the viewer's own close.
    async fn close(&mut self, close: Close) {
        metric::refused(close.label());
        if self.send(&goodbye(close)).await.is_err() {
            return;
        }
        let frame =
            CloseFrame { code: close.code().into(), reason: Utf8Bytes::from_static(close.label()) };
        let _ = self.control(Message::Close(Some(frame))).await;
        // The viewer answers with its own close; what it still sends is not read.
        let _ = timeout(Duration::from_millis(700), async {
            while let Some(Ok(_)) = self.stream.next().await {}
        })
        .await;
    }

    /// The viewer closes: it is answered (RFC 6455, 5.5.1), if it still takes that.
    pub(super) async fn answer_close(&mut self) {
        let _ = timeout(Duration::from_secs(1), self.stream.flush()).await;
    }

    async fn control(&mut self, message: Message) -> Result<(), Stuck> {
        let sent = within(self.hard.clone(), self.stream.send(message)).await;
        self.note(sent)
    }

    /// What the library could not finish stands in the way of all else.
    fn note(&mut self, sent: Result<(), Stuck>) -> Result<(), Stuck> {
        sent.inspect_err(|_| self.begun = Begun::Foreign)
    }
}

/// Waits until something is written, not for ever, and not beyond the end of the process.
async fn within<E>(
    hard: CancellationToken,
    written: impl Future<Output = Result<(), E>>,
) -> Result<(), Stuck> {
    tokio::select! {
        biased;
        written = timeout(SLOW, written) => {
            written.map_err(|_| Stuck::Slow)?.map_err(|_| Stuck::Lost)
        }
        () = hard.cancelled() => Err(Stuck::Lost),
    }
}

/// A frame that cannot be read: too long, or no frame at all. None when there is nobody any more: most
/// go without a word.
const fn classify(error: &Error) -> Option<Close> {
    match error {
        Error::Capacity(_) => Some(Close::FrameTooBig),
        Error::Io(_)
        | Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        _ => Some(Close::BrokenFrame),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;
    use tungstenite::protocol::Role;

    /// A socket, and whoever is at its other end.
    async fn pair() -> (Socket, WebSocketStream<TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
        let raw = |stream, role| WebSocketStream::from_raw_socket(stream, role, None);
        let server = raw(server.unwrap().0, Role::Server).await;
        let client = raw(client.unwrap(), Role::Client).await;
        (Socket::new(server, CancellationToken::new()), client)
    }

    /// Says the same again and again until nothing is taken any more; how often it was, and why it ended.
    async fn fill(socket: &mut Socket, frame: &Frame) -> (usize, Stuck) {
        for said in 1.. {
            if let Err(stuck) = socket.send(frame).await {
                return (said, stuck);
            }
        }
        unreachable!("nobody reads");
    }

    fn frame() -> Frame {
        Frame::new(&"x".repeat(4 * 1024 * 1024))
    }

    #[tokio::test]
    async fn who_took_nothing_for_too_long_hears_why_behind_what_was_begun() {
        let (mut socket, mut viewer) = pair().await;
        let frame = frame();
        let (said, stuck) = fill(&mut socket, &frame).await;
        assert_eq!(stuck, Stuck::Slow);
        let hears = async {
            for _ in 0..said {
                let text = viewer.next().await.unwrap().unwrap().into_text().unwrap();
                assert_eq!(text.as_str(), frame.text());
            }
            let goodbye = viewer.next().await.unwrap().unwrap().into_text().unwrap();
            assert!(goodbye.contains(r#""op":"goodbye","code":4002"#), "{goodbye}");
            match viewer.next().await.unwrap().unwrap() {
                Message::Close(Some(close)) => assert_eq!(u16::from(close.code), 4002),
                other => panic!("{other:?}"),
            }
        };
        tokio::join!(socket.last_words(), hears);
    }

    #[tokio::test]
    async fn the_end_of_the_process_waits_for_no_viewer() {
        let (mut socket, _viewer) = pair().await;
        socket.hard.cancel();
        assert_eq!(fill(&mut socket, &frame()).await.1, Stuck::Lost);
    }
}
