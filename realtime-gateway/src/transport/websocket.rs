//! `GET /v1/live`: the WebSocket shell.

use super::connection::{Connection, written};
use super::socket::Socket;
use super::upgrade::{Upgrade, names};
use crate::gateway::{ClientAddress, Gateway};
use crate::line::Outcome;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use contract::live::{BEARER_PREFIX, MAX_FRAME};
use futures_util::FutureExt;
use futures_util::future::{Either, ready};
use service_kit::clock;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tungstenite::protocol::WebSocketConfig;

/// Its name in metrics.
const TRANSPORT: &str = "websocket";

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
    upgrade: Result<Upgrade, Response>,
) -> Response {
    if let Err(problem) = gateway.admit_origin(TRANSPORT, &headers) {
        return problem.into_response();
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(refused) => return refused,
    };
    let place = match gateway.admit(TRANSPORT, address) {
        Ok(place) => place,
        Err(problem) => return problem.into_response(),
    };
    let token = offered_token(&headers);
    let connection = Connection::open(gateway, TRANSPORT, place);
    let life = connection.gateway.life.clone();
    let (response, stream) = upgrade.accept(config());
    // In one future after the other: a block that waits would hold the connection twice.
    life.spawn_light(stream.then(move |stream| match stream {
        Some(stream) => Either::Left(run(stream, connection, token)),
        None => Either::Right(ready(())),
    }));
    response
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(READ_LIMIT))
        .max_frame_size(Some(READ_LIMIT))
}

/// `bearer.<jwt>` among the offered subprotocols: browsers cannot set other headers.
fn offered_token(headers: &HeaderMap) -> Option<String> {
    let mut offered = names(headers, &header::SEC_WEBSOCKET_PROTOCOL);
    offered.find_map(|name| name.strip_prefix(BEARER_PREFIX)).map(str::to_owned)
}

/// The whole conversation. A plain function around a block: an `async fn` would hold what it is given
/// twice, for as long as a viewer stays.
fn run(
    stream: WebSocketStream<TcpStream>,
    mut connection: Connection,
    token: Option<String>,
) -> impl Future<Output = ()> {
    let mut socket = Socket::new(stream, connection.gateway.life.hard().clone());
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
                let outcome = connection.deliver(&delivery);
                published = delivery.into_state();
                outcome
            }
            message = socket.recv() => match socket.heard(message, connection) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn size<F>(_: impl Fn(WebSocketStream<TcpStream>, Connection, Option<String>) -> F) -> usize {
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
