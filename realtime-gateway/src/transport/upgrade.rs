//! From a request to a WebSocket on its own TCP stream (RFC 6455, 4.2). The stream itself, so that a
//! frame that is ready for everybody is written to it as it is.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use contract::live::SUBPROTOCOL;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use service_kit::problem::Problem;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::{Role, WebSocketConfig};

/// The only version that there is.
const VERSION: &str = "13";

/// A request that asks for a WebSocket, and may have one.
pub struct Upgrade {
    accept: String,
    protocol: bool,
    upgraded: OnUpgrade,
}

impl<S: Sync> FromRequestParts<S> for Upgrade {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let headers = &parts.headers;
        let asks = parts.method == Method::GET
            && names(headers, &header::CONNECTION).any(|name| name.eq_ignore_ascii_case("upgrade"))
            && names(headers, &header::UPGRADE).any(|name| name.eq_ignore_ascii_case("websocket"))
            && headers.get(header::SEC_WEBSOCKET_VERSION).is_some_and(|v| v == VERSION);
        let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| asks);
        let accept = key.map(|key| derive_accept_key(key.as_bytes()));
        let protocol =
            names(headers, &header::SEC_WEBSOCKET_PROTOCOL).any(|name| name == SUBPROTOCOL);
        match accept.zip(parts.extensions.remove::<OnUpgrade>()) {
            Some((accept, upgraded)) => Ok(Self { accept, protocol, upgraded }),
            None => Err(refused()),
        }
    }
}

/// What a list of a header names.
pub(super) fn names<'a>(
    headers: &'a HeaderMap,
    header: &header::HeaderName,
) -> impl Iterator<Item = &'a str> {
    let lists = headers.get_all(header).into_iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim)
}

fn refused() -> Response {
    let problem = Problem::bad_request("This is a WebSocket endpoint.");
    let version = [(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION))];
    (version, problem).into_response()
}

impl Upgrade {
    /// The answer, and the WebSocket once that has been sent; none when the peer is gone by then.
    pub(super) fn accept(
        self,
        config: WebSocketConfig,
    ) -> (Response, impl Future<Output = Option<WebSocketStream<TcpStream>>> + Send) {
        let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        if let Ok(accept) = HeaderValue::from_str(&self.accept) {
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
        }
        if self.protocol {
            let protocol = HeaderValue::from_static(SUBPROTOCOL);
            headers.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
        }
        let upgraded = self.upgraded;
        let stream = async move {
            let (stream, read) = stream(upgraded.await.ok()?)?;
            let (role, config) = (Role::Server, Some(config));
            Some(WebSocketStream::from_partially_read(stream, read, role, config).await)
        };
        (response, stream)
    }
}

/// The stream below, and what of the viewer's first frames was read with the request.
fn stream(upgraded: Upgraded) -> Option<(TcpStream, Vec<u8>)> {
    let parts = upgraded.downcast::<TokioIo<TcpStream>>().ok()?;
    Some((parts.io.into_inner(), parts.read_buf.to_vec()))
}
