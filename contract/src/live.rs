//! The live protocol `milepost.v1`: frames, close codes, and who may watch what.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

/// The WebSocket subprotocol.
pub const SUBPROTOCOL: &str = "milepost.v1";
/// A second offered subprotocol carries the token after this prefix.
pub const BEARER_PREFIX: &str = "bearer.";
/// Longest frame that a viewer may send, in bytes.
pub const MAX_FRAME: usize = 4096;
/// Most channels that a connection may watch.
pub const MAX_CHANNELS: usize = 50;

/// A frame from a viewer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum ClientFrame {
    /// Who is there.
    Hello {
        /// JWT.
        token: String,
    },
    /// Watch a channel.
    Subscribe {
        /// The viewer's number for the request.
        id: u64,
        /// Channel name.
        channel: String,
        /// Newest version that the viewer has.
        #[serde(default)]
        since: Option<u64>,
    },
    /// Watch it no longer.
    Unsubscribe {
        /// The viewer's number for the request.
        id: u64,
        /// Channel name.
        channel: String,
    },
    /// A newer token.
    Refresh {
        /// The viewer's number for the request.
        id: u64,
        /// JWT.
        token: String,
    },
    /// Is anybody there?
    Ping,
}

/// Why a channel is no longer watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unsubscribed {
    /// The viewer asked.
    Asked,
    /// The right to it was taken away.
    Revoked,
    /// The token ended.
    Expired,
    /// The newer token no longer names it.
    Forbidden,
}

/// A frame to a viewer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "op", rename_all = "lowercase")]
pub enum ServerFrame<'a> {
    /// The token is good.
    Welcome {
        /// Id of the connection, for support.
        session: &'a str,
        /// How often the server pings, in milliseconds.
        heartbeat_ms: u64,
        /// When the token ends, RFC 3339.
        expires_at: String,
    },
    /// The state at the time of the subscription.
    Snapshot {
        /// The request's number; absent on SSE.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        /// Channel name.
        channel: &'a str,
        /// Version; 0 when there is nothing yet.
        version: u64,
        /// The whole state, or null.
        #[schema(value_type = Option<Object>)]
        data: Option<&'a RawValue>,
    },
    /// The viewer has the newest version already.
    Same {
        /// The request's number; absent on SSE.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        /// Channel name.
        channel: &'a str,
        /// Version.
        version: u64,
    },
    /// A newer state.
    Update {
        /// Channel name.
        channel: &'a str,
        /// Version.
        version: u64,
        /// The whole state.
        #[schema(value_type = Object)]
        data: &'a RawValue,
    },
    /// A channel is no longer watched.
    Unsubscribed {
        /// The request's number, if the viewer asked.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        /// Channel name.
        channel: &'a str,
        /// Why.
        reason: Unsubscribed,
    },
    /// The newer token is taken.
    Refreshed {
        /// The request's number.
        id: u64,
        /// When it ends, RFC 3339.
        expires_at: String,
    },
    /// The server asks for a newer token.
    Refresh,
    /// Yes.
    Pong,
    /// A request was refused; the connection stays.
    Error {
        /// The request's number, if it had one.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        /// Short code.
        code: &'a str,
        /// A sentence for developers.
        message: &'a str,
    },
    /// The server ends the connection.
    Goodbye {
        /// Close code.
        code: u16,
        /// When to come back, in milliseconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        reconnect_after_ms: Option<u64>,
    },
}

impl ServerFrame<'_> {
    /// The frame as JSON text.
    #[must_use]
    pub fn encode(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The frame's `op`, which is the event name on SSE.
    #[must_use]
    pub fn op(&self) -> &'static str {
        match self {
            Self::Welcome { .. } => "welcome",
            Self::Snapshot { .. } => "snapshot",
            Self::Same { .. } => "same",
            Self::Update { .. } => "update",
            Self::Unsubscribed { .. } => "unsubscribed",
            Self::Refreshed { .. } => "refreshed",
            Self::Refresh => "refresh",
            Self::Pong => "pong",
            Self::Error { .. } => "error",
            Self::Goodbye { .. } => "goodbye",
        }
    }
}

/// Why a connection ends. 4000–4399: come back; 4400–4499: not without a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Close {
    /// The gateway is going away.
    Drain,
    /// The viewer takes nothing.
    TooSlow,
    /// No `hello` in time.
    NoHello,
    /// No answer to a ping.
    NoPong,
    /// The gateway has no room.
    Overload,
    /// A frame that is no frame of the protocol.
    BrokenFrame,
    /// The token is missing, bad or expired.
    BadToken,
    /// The right to be here was taken away.
    Revoked,
    /// A frame longer than [`MAX_FRAME`].
    FrameTooBig,
    /// More frames than allowed.
    TooManyFrames,
}

impl Close {
    /// The close code.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Drain => 4001,
            Self::TooSlow => 4002,
            Self::NoHello => 4003,
            Self::NoPong => 4004,
            Self::Overload => 4005,
            Self::BrokenFrame => 4400,
            Self::BadToken => 4401,
            Self::Revoked => 4403,
            Self::FrameTooBig => 4413,
            Self::TooManyFrames => 4429,
        }
    }

    /// Label for metrics and the close reason.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Drain => "drain",
            Self::TooSlow => "too_slow",
            Self::NoHello => "no_hello",
            Self::NoPong => "no_pong",
            Self::Overload => "overload",
            Self::BrokenFrame => "broken_frame",
            Self::BadToken => "bad_token",
            Self::Revoked => "revoked",
            Self::FrameTooBig => "frame_too_big",
            Self::TooManyFrames => "too_many_frames",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_as_the_protocol_writes_them() {
        let frame = r#"{"op":"subscribe","id":1,"channel":"order:TM-1042","since":6}"#;
        let read: ClientFrame = serde_json::from_str(frame).unwrap();
        let channel = "order:TM-1042".to_owned();
        assert_eq!(read, ClientFrame::Subscribe { id: 1, channel, since: Some(6) });
        assert_eq!(
            serde_json::from_str::<ClientFrame>(r#"{"op":"ping"}"#).unwrap(),
            ClientFrame::Ping
        );
        let same = ServerFrame::Same { id: Some(1), channel: "order:A", version: 7 };
        assert_eq!(same.encode(), r#"{"op":"same","id":1,"channel":"order:A","version":7}"#);
        assert_eq!(ServerFrame::Refresh.encode(), r#"{"op":"refresh"}"#);
    }

    #[test]
    fn an_unknown_op_is_no_frame() {
        assert!(serde_json::from_str::<ClientFrame>(r#"{"op":"shout"}"#).is_err());
    }
}
