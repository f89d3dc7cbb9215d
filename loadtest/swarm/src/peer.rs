//! What a server speaks: how a viewer introduces itself, and what its frames mean.

mod centrifugo;
mod milepost;

pub(crate) use centrifugo::Centrifugo;
pub(crate) use milepost::Milepost;

use std::time::Duration;
use tungstenite::http::Request;

/// What a frame means.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The viewer is subscribed and has everything up to this version.
    Ready(u64),
    /// A newer state: its version, and when it was sent, in nanoseconds of this program's clock.
    Update { version: u64, sent: u64 },
    /// The server wants this frame back.
    Reply(&'static str),
    /// The server asks to come back after this time.
    Goodbye(Duration),
    /// Nothing that counts here.
    Nothing,
}

/// One viewer's wish.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    /// Number of the channel.
    pub(crate) channel: usize,
    /// What lets it in; empty where nobody asks.
    pub(crate) token: String,
}

/// A protocol.
pub(crate) trait Peer: Send + Sync {
    /// The request that opens the socket.
    fn request(&self, address: &str) -> anyhow::Result<Request<()>>;
    /// The frames that follow at once; `version` is what the viewer has already.
    fn first(&self, wish: &Wish, version: u64) -> Vec<String>;
    /// What a line of the server means.
    fn hear(&self, line: &str) -> Heard;
}

/// The whole number behind `name` in a JSON text whose layout is known. A parser would cost the
/// viewers' core more than the server spends on sending.
fn number(text: &str, name: &str) -> Option<u64> {
    let rest = &text[text.find(name)? + name.len()..];
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_frames_are_understood() {
        let frame = r#"{"op":"update","channel":"order:S-1","version":8,"data":{"t":12,"n":8}}"#;
        assert_eq!(Milepost.hear(frame), Heard::Update { version: 8, sent: 12 });
        let frame = r#"{"op":"snapshot","id":1,"channel":"order:S-1","version":7,"data":{"t":1}}"#;
        assert_eq!(Milepost.hear(frame), Heard::Ready(7));
        let frame = r#"{"op":"goodbye","code":4001,"reconnect_after_ms":250}"#;
        assert_eq!(Milepost.hear(frame), Heard::Goodbye(Duration::from_millis(250)));
    }

    #[test]
    fn the_others_frames_are_understood() {
        let push = r#"{"push":{"channel":"plain:1","pub":{"data":{"t":12,"n":8}}}}"#;
        assert_eq!(Centrifugo.hear(push), Heard::Update { version: 8, sent: 12 });
        assert_eq!(Centrifugo.hear(r#"{"id":2,"subscribe":{}}"#), Heard::Ready(0));
        assert_eq!(Centrifugo.hear("{}"), Heard::Reply("{}"));
    }
}
