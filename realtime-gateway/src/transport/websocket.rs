//! `GET /v1/live`: the WebSocket shell.

use super::connection::{Connection, goodbye};
use crate::gateway::{ClientAddress, Gateway};
use crate::line::Outcome;
use crate::metric;
use crate::state::State as Published;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use contract::live::{BEARER_PREFIX, Close, MAX_FRAME, SUBPROTOCOL};
use futures_util::SinkExt;
use service_kit::clock;
use service_kit::problem::Problem;
use std::time::Duration;
use tokio::time::Instant;

/// A viewer that takes nothing for so long is sent away.
const SLOW: Duration = Duration::from_secs(10);
/// A ping is answered within this.
const PONG: Duration = Duration::from_secs(10);
/// Frames up to here are read, so that one that is too long is refused by name.
const READ_LIMIT: usize = 16 * MAX_FRAME;

/// Room for what a viewer usually says; a longer frame makes it grow. Each viewer has one for as
/// long as it stays.
const READ_BUFFER: usize = 512;

/// Opens a live connection. The token comes in a second offered subprotocol or in the first
/// frame.
pub async fn open(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    if !gateway.origins.admit(&headers) {
        metric::refused("origin");
        return Problem::new(StatusCode::FORBIDDEN, "origin", "This origin is not in the list.")
            .into_response();
    }
    let Ok(upgrade) = upgrade else {
        return Problem::bad_request("This is a WebSocket endpoint.").into_response();
    };
    let place = match gateway.admit(address) {
        Ok(place) => place,
        Err(problem) => return problem.into_response(),
    };
    let token = offered_token(&headers);
    let connection = Connection::open(gateway, "websocket", place);
    let life = connection.gateway.life.clone();
    upgrade
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(READ_LIMIT)
        .max_frame_size(READ_LIMIT)
        .on_upgrade(move |socket| life.track(run(socket, connection, token)))
}

/// `bearer.<jwt>` among the offered subprotocols: browsers cannot set other headers.
fn offered_token(headers: &HeaderMap) -> Option<String> {
    let offered =
        headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|v| v.to_str().ok());
    let mut names = offered.flat_map(|list| list.split(',')).map(str::trim);
    names.find_map(|name| name.strip_prefix(BEARER_PREFIX)).map(str::to_owned)
}

/// What goes on between the first frame and the last.
struct Socket {
    stream: WebSocket,
    heard: Instant,
    pinged: Instant,
    /// Whether the viewer said something that may have moved the session's deadline.
    moved: bool,
}

/// The whole conversation. A plain function around a block: an `async fn` would hold what it is given
/// twice, for as long as a viewer stays.
fn run(
    stream: WebSocket,
    mut connection: Connection,
    token: Option<String>,
) -> impl Future<Output = ()> {
    let now = Instant::now();
    let mut socket = Socket { stream, heard: now, pinged: now, moved: false };
    let hello = |token: String| connection.tell(|session| session.hello(&token, clock::now()));
    let first = token.map(hello).unwrap_or_default();
    async move { converse(&mut socket, &mut connection, first).await }
}

async fn converse(socket: &mut Socket, connection: &mut Connection, first: Outcome) {
    let clock = tokio::time::sleep_until(socket.deadline(connection));
    tokio::pin!(clock);
    let (mut outcome, mut published) = (first, None);
    loop {
        if socket.write(connection, outcome).await.is_err() {
            return;
        }
        if let Some(state) = published.take() {
            written(&state);
        }
        if std::mem::take(&mut socket.moved) || clock.is_elapsed() {
            clock.as_mut().reset(socket.deadline(connection));
        }
        outcome = tokio::select! {
            // In this order: what wakes a viewer is nearly always a delivery.
            biased;
            delivery = connection.next() => {
                published = delivery.state().cloned();
                connection.deliver(delivery)
            }
            message = socket.stream.recv() => match socket.heard(message, connection) {
                Some(outcome) => outcome,
                // Boxed: what happens once must not be room that every viewer holds.
                None => return Box::pin(socket.answer_close()).await,
            },
            () = &mut clock => match Box::pin(socket.heartbeat(connection)).await {
                Ok(outcome) => outcome,
                Err(()) => return,
            },
        };
    }
}

/// A state that came over the bus is on the viewer's way.
fn written(state: &Published) {
    if let Some(age) = state.age(clock::now()) {
        metric::written(age);
        state.written();
    }
}

impl Socket {
    /// None when the viewer is gone.
    fn heard(
        &mut self,
        message: Option<Result<Message, axum::Error>>,
        connection: &mut Connection,
    ) -> Option<Outcome> {
        self.heard = Instant::now();
        match message? {
            Ok(Message::Text(text)) => {
                self.moved = true;
                Some(connection.tell(|session| session.frame(text.as_str(), clock::now())))
            }
            Ok(Message::Binary(_)) => Some(connection.close(Close::BrokenFrame)),
            Ok(Message::Ping(_) | Message::Pong(_)) => {
                Some(connection.tell(|session| session.control(clock::now())))
            }
            Ok(Message::Close(_)) => None,
            Err(error) => Some(connection.close(classify(error))),
        }
    }

    /// When the session or the heartbeat has to look at the clock.
    fn deadline(&self, connection: &Connection) -> Instant {
        let every = Duration::from_millis(connection.gateway.rules.heartbeat_ms);
        let waits = self.pinged > self.heard;
        let beat = if waits { self.pinged + PONG } else { self.pinged.max(self.heard) + every };
        beat.min(connection.deadline(every))
    }

    async fn heartbeat(&mut self, connection: &mut Connection) -> Result<Outcome, ()> {
        let now = Instant::now();
        if self.pinged > self.heard && now - self.pinged >= PONG {
            return Ok(connection.close(Close::NoPong));
        }
        let every = Duration::from_millis(connection.gateway.rules.heartbeat_ms);
        if now - self.pinged.max(self.heard) >= every {
            self.pinged = now;
            self.send(Message::Ping(Bytes::new())).await?;
        }
        Ok(connection.tick())
    }

    /// Writes frames; after a closing one there is nothing more.
    async fn write(&mut self, connection: &mut Connection, outcome: Outcome) -> Result<(), ()> {
        for (_, text) in outcome.frames {
            if self.send(Message::Text(text)).await.is_err() {
                // It took nothing for too long, or it is gone; a close frame would wait as well.
                connection.close(Close::TooSlow);
                return Err(());
            }
        }
        match outcome.close {
            None => Ok(()),
            Some(close) => {
                Box::pin(self.close(close)).await;
                Err(())
            }
        }
    }

    /// Says why, and waits a little for the viewer's own close.
    async fn close(&mut self, close: Close) {
        metric::refused(close.label());
        let _ = self.send(Message::Text(goodbye(close))).await;
        let frame =
            CloseFrame { code: close.code(), reason: Utf8Bytes::from_static(close.label()) };
        let _ = self.send(Message::Close(Some(frame))).await;
        // The viewer answers with its own close; what it still sends is not read.
        let _ = tokio::time::timeout(Duration::from_secs(1), async {
            while let Some(Ok(_)) = self.stream.recv().await {}
        })
        .await;
    }

    /// The viewer closes: it is answered (RFC 6455, 5.5.1), if it still takes that.
    async fn answer_close(&mut self) {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.stream.flush()).await;
    }

    async fn send(&mut self, message: Message) -> Result<(), ()> {
        match tokio::time::timeout(SLOW, self.stream.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(()),
        }
    }
}

/// A frame that cannot be read: too long, or no frame at all.
fn classify(error: axum::Error) -> Close {
    match error.into_inner().downcast_ref::<tungstenite::Error>() {
        Some(tungstenite::Error::Capacity(_)) => Close::FrameTooBig,
        _ => Close::BrokenFrame,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size<F>(_: impl Fn(WebSocket, Connection, Option<String>) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    #[allow(
        clippy::print_stderr,
        reason = "the figure is what somebody who changes it wants to see"
    )]
    fn a_waiting_viewer_s_future_stays_small() {
        let bytes = size(run);
        eprintln!("{bytes} bytes for each viewer that waits");
        assert!(bytes <= 2_300, "{bytes}");
    }
}
