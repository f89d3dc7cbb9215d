//! One viewer's conversation, without any I/O: what comes in, what goes out.
//!
//! WebSocket and SSE are two shells around it. The promise that it keeps: after its snapshot a
//! channel only ever moves to higher versions, and no version that arrived while the snapshot
//! was under way is lost.
//!
//! A frame comes in here → `admission` knows who the viewer is and what it may → `channel` what it
//! watches, each by its `subscription`.

mod bucket;
mod subscription;
mod channel;
mod admission;
#[cfg(test)]
mod tests;

use crate::authenticator::Authenticator;
use crate::frame::Frame;
use bucket::Bucket;
use channel::Channels;
use chrono::{DateTime, TimeDelta, Utc};
use contract::live::{ClientFrame, Close, MAX_FRAME, ServerFrame};
use contract::name::Channel;
use service_kit::token::Viewer;

/// How long a viewer may take to say who it is.
pub const HELLO_LIMIT: TimeDelta = TimeDelta::seconds(5);
/// How long after its end a token is still good for staying.
pub const EXPIRY_GRACE: TimeDelta = TimeDelta::seconds(25);

/// What the shell has to do.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Send a frame, whose `op` is this.
    Send(&'static str, Frame),
    /// Register for the channel, then fetch its snapshot.
    Watch(Channel),
    /// Leave the channel.
    Unwatch(Channel),
    /// End the connection.
    Close(Close),
}

/// What a session is told of its surroundings.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// How often the server pings, in milliseconds.
    pub heartbeat_ms: u64,
    /// Frames per second.
    pub frames_per_second: u32,
}

/// A conversation.
pub struct Session {
    authenticator: Authenticator,
    /// How much of the deny list the session has been held against.
    held_against: u64,
    id: String,
    rules: Rules,
    started: DateTime<Utc>,
    viewer: Option<Viewer>,
    /// When its token ends.
    expires_at: DateTime<Utc>,
    refresh_at: DateTime<Utc>,
    refresh_asked: bool,
    frames: Bucket,
    channels: Channels,
}

impl Session {
    /// A conversation that has just begun.
    #[must_use]
    pub fn new(authenticator: Authenticator, id: String, rules: Rules, now: DateTime<Utc>) -> Self {
        let frames = Bucket::new(rules.frames_per_second, now);
        Self {
            held_against: authenticator.denied.changes(),
            authenticator,
            id,
            rules,
            started: now,
            viewer: None,
            expires_at: now,
            refresh_at: now,
            refresh_asked: false,
            frames,
            channels: Channels::default(),
        }
    }

    /// Takes a text frame.
    pub fn frame(&mut self, text: &str, now: DateTime<Utc>) -> Vec<Effect> {
        if text.len() > MAX_FRAME {
            return vec![Effect::Close(Close::FrameTooBig)];
        }
        if !self.frames.take(now) {
            return vec![Effect::Close(Close::TooManyFrames)];
        }
        let Ok(frame) = serde_json::from_str::<ClientFrame>(text) else {
            return vec![Effect::Close(Close::BrokenFrame)];
        };
        match frame {
            ClientFrame::Hello { token } => self.hello(&token, now),
            _ if self.viewer.is_none() => vec![Effect::Close(Close::BadToken)],
            ClientFrame::Subscribe { id, channel, since } => {
                self.subscribe(Some(id), &channel, since)
            }
            ClientFrame::Unsubscribe { id, channel } => self.unsubscribe(id, &channel),
            ClientFrame::Refresh { id, token } => self.refresh(id, &token, now),
            ClientFrame::Ping => vec![send(&ServerFrame::Pong)],
        }
    }

    /// A frame that carries nothing (a ping): it counts like any other.
    pub fn control(&mut self, now: DateTime<Utc>) -> Vec<Effect> {
        let close = (!self.frames.take(now)).then_some(Effect::Close(Close::TooManyFrames));
        close.into_iter().collect()
    }

    /// Looks at the clock: when [`Self::deadline`] has come, and whenever else.
    pub fn tick(&mut self, now: DateTime<Utc>) -> Vec<Effect> {
        if self.viewer.is_none() {
            let late = now - self.started >= HELLO_LIMIT;
            return late.then_some(Effect::Close(Close::NoHello)).into_iter().collect();
        }
        let mut effects = self.look(now);
        let ends = effects.iter().any(|effect| matches!(effect, Effect::Close(_)));
        if !ends && now >= self.refresh_at && !self.refresh_asked {
            self.refresh_asked = true;
            effects.push(send(&ServerFrame::Refresh));
        }
        effects
    }

    /// Looks whether the viewer may still have what it has: before anything is handed to it.
    pub fn look(&mut self, now: DateTime<Utc>) -> Vec<Effect> {
        match &self.viewer {
            Some(_) if now >= self.expires_at + EXPIRY_GRACE => {
                vec![Effect::Close(Close::BadToken)]
            }
            Some(_) => self.revoked(),
            None => Vec::new(),
        }
    }

    /// When the clock has to be looked at next.
    #[must_use]
    pub fn deadline(&self) -> DateTime<Utc> {
        match &self.viewer {
            None => self.started + HELLO_LIMIT,
            Some(_) if self.refresh_asked => self.expires_at + EXPIRY_GRACE,
            Some(_) => self.refresh_at,
        }
    }

    /// The connection's name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Who it is with, once that is known.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.viewer.as_ref().map(|viewer| viewer.sub.as_str())
    }

    /// `channel@version` of every channel, for SSE's `id:`.
    #[must_use]
    pub fn position(&self) -> String {
        let one = |(name, version): (&str, u64)| format!("{name}@{version}");
        self.channels.versions().map(one).collect::<Vec<_>>().join(",")
    }

    /// The channels that are watched.
    pub fn channels(&self) -> impl Iterator<Item = &str> {
        self.channels.names()
    }
}

/// A frame to send.
#[must_use]
pub fn send(frame: &ServerFrame<'_>) -> Effect {
    Effect::Send(frame.op(), Frame::new(&frame.encode()))
}

fn refuse(id: Option<u64>, code: &'static str, message: &'static str) -> Effect {
    crate::metric::refused(code);
    send(&ServerFrame::Error { id, code, message })
}
