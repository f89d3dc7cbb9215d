//! Centrifugo's JSON protocol (version 2 of its client protocol), as far as viewers need it.

use super::{Heard, Peer, Wish, number};
use tungstenite::client::IntoClientRequest;
use tungstenite::http::Request;

/// A Centrifugo 6 whose channels may be subscribed to without a token and keep no history.
pub(crate) struct Centrifugo;

impl Peer for Centrifugo {
    fn request(&self, address: &str) -> anyhow::Result<Request<()>> {
        Ok(format!("ws://{address}/connection/websocket").into_client_request()?)
    }

    fn first(&self, wish: &Wish, _version: u64) -> Vec<String> {
        let channel = wish.channel;
        let connect = r#"{"id":1,"connect":{}}"#;
        vec![format!("{connect}\n{{\"id\":2,\"subscribe\":{{\"channel\":\"plain:{channel}\"}}}}")]
    }

    fn hear(&self, line: &str) -> Heard {
        if line == "{}" {
            return Heard::Reply("{}");
        }
        if line.starts_with(r#"{"push""#) {
            let version = number(line, "\"n\":").unwrap_or(0);
            return Heard::Update { version, sent: number(line, "\"t\":").unwrap_or(0) };
        }
        let subscribed = line.starts_with(r#"{"id":2,"subscribe""#);
        if subscribed { Heard::Ready(0) } else { Heard::Nothing }
    }
}
