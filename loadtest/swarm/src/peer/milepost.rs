//! `milepost.v1`: docs/protocol.md.

use super::{Heard, Peer, Wish, number};
use anyhow::Context;
use std::time::Duration;
use tungstenite::client::IntoClientRequest;
use tungstenite::http::Request;

/// Our own gateway.
pub(crate) struct Milepost;

impl Peer for Milepost {
    fn request(&self, address: &str) -> anyhow::Result<Request<()>> {
        let mut request = format!("ws://{address}/v1/live").into_client_request()?;
        let name = "milepost.v1".parse().context("the protocol's name")?;
        request.headers_mut().insert("sec-websocket-protocol", name);
        Ok(request)
    }

    fn first(&self, wish: &Wish, version: u64) -> Vec<String> {
        let (token, channel) = (&wish.token, wish.channel);
        let since = if version > 0 { format!(r#","since":{version}"#) } else { String::new() };
        vec![
            format!(r#"{{"op":"hello","token":"{token}"}}"#),
            format!(r#"{{"op":"subscribe","id":1,"channel":"order:S-{channel}"{since}}}"#),
        ]
    }

    fn hear(&self, line: &str) -> Heard {
        let version = || number(line, "\"version\":").unwrap_or(0);
        let op = line.strip_prefix(r#"{"op":""#).and_then(|rest| rest.split('"').next());
        match op {
            Some("update") => {
                Heard::Update { version: version(), sent: number(line, "\"t\":").unwrap_or(0) }
            }
            Some("snapshot" | "same") => Heard::Ready(version()),
            Some("goodbye") => number(line, "\"reconnect_after_ms\":")
                .map_or(Heard::Nothing, |ms| Heard::Goodbye(Duration::from_millis(ms))),
            _ => Heard::Nothing,
        }
    }
}
