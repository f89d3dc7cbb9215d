//! One viewer's conversation, without any I/O: what comes in, what goes out.
//!
//! WebSocket and SSE are two shells around it. The promise that it keeps: after its snapshot a
//! channel only ever moves to higher versions, and no version that arrived while the snapshot
//! was under way is lost.

mod bucket;
mod subscription;
#[cfg(test)]
mod tests;

use crate::denied::Denied;
use crate::state::State;
use axum::extract::ws::Utf8Bytes;
use bucket::Bucket;
use chrono::{DateTime, TimeDelta, Utc};
use contract::live::{ClientFrame, Close, MAX_CHANNELS, MAX_FRAME, ServerFrame, Unsubscribed};
use contract::name::Channel;
use service_kit::auth::Auth;
use service_kit::token::{TokenError, Viewer};
use std::collections::BTreeMap;
use std::sync::Arc;
use subscription::Subscription;

/// How long a viewer may take to say who it is.
pub const HELLO_LIMIT: TimeDelta = TimeDelta::seconds(5);
/// How long after its end a token is still good for staying.
pub const EXPIRY_GRACE: TimeDelta = TimeDelta::seconds(25);

/// What the shell has to do.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Send a frame: its `op` and its text.
    Send(&'static str, Utf8Bytes),
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
    auth: Arc<Auth>,
    denied: Denied,
    /// How much of the deny list the session has been held against.
    held_against: u64,
    id: String,
    rules: Rules,
    started: DateTime<Utc>,
    viewer: Option<Viewer>,
    refresh_at: DateTime<Utc>,
    refresh_asked: bool,
    frames: Bucket,
    channels: BTreeMap<String, Subscription>,
}

impl Session {
    /// A conversation that has just begun.
    #[must_use]
    pub fn new(
        (auth, denied): (Arc<Auth>, Denied),
        id: String,
        rules: Rules,
        now: DateTime<Utc>,
    ) -> Self {
        let frames = Bucket::new(rules.frames_per_second, now);
        let channels = BTreeMap::new();
        Self {
            auth,
            held_against: denied.changes(),
            denied,
            id,
            rules,
            started: now,
            viewer: None,
            refresh_at: now,
            refresh_asked: false,
            frames,
            channels,
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

    /// Takes the token, from a frame or from the handshake.
    pub fn hello(&mut self, token: &str, now: DateTime<Utc>) -> Vec<Effect> {
        if self.viewer.is_some() {
            return vec![Effect::Close(Close::BrokenFrame)];
        }
        match self.verify(token, now) {
            Err(_) => vec![Effect::Close(Close::BadToken)],
            Ok(viewer) if self.denied.token(&viewer) => vec![Effect::Close(Close::Revoked)],
            Ok(viewer) => {
                let expires_at = rfc3339(viewer.expires_at());
                self.admit(viewer, now);
                let heartbeat_ms = self.rules.heartbeat_ms;
                vec![send(&ServerFrame::Welcome { session: &self.id, heartbeat_ms, expires_at })]
            }
        }
    }

    /// Watches a channel.
    pub fn subscribe(&mut self, id: Option<u64>, name: &str, since: Option<u64>) -> Vec<Effect> {
        let Ok(channel) = name.parse::<Channel>() else {
            return vec![refuse(
                id,
                "unknown_channel",
                "A channel is order:<id> or inbox:<customer>.",
            )];
        };
        let Some(viewer) = self.viewer.as_ref().filter(|viewer| viewer.may_watch(&channel)) else {
            return vec![refuse(id, "forbidden", "This token does not open the channel.")];
        };
        if self.is_denied(viewer, &channel) {
            return vec![refuse(id, "revoked", "The right to this channel was taken away.")];
        }
        if self.channels.contains_key(name) {
            return vec![refuse(id, "already_subscribed", "The channel is watched already.")];
        }
        if self.channels.len() >= MAX_CHANNELS {
            return vec![refuse(
                id,
                "too_many_channels",
                "A connection watches at most 50 channels.",
            )];
        }
        self.channels.insert(name.to_owned(), Subscription::waiting(id, since));
        vec![Effect::Watch(channel)]
    }

    fn unsubscribe(&mut self, id: u64, name: &str) -> Vec<Effect> {
        match (self.channels.remove(name), name.parse()) {
            (Some(_), Ok(channel)) => {
                let frame = ServerFrame::Unsubscribed {
                    id: Some(id),
                    channel: name,
                    reason: Unsubscribed::Asked,
                };
                vec![Effect::Unwatch(channel), send(&frame)]
            }
            _ => vec![refuse(Some(id), "not_subscribed", "The channel is not watched.")],
        }
    }

    fn refresh(&mut self, id: u64, token: &str, now: DateTime<Utc>) -> Vec<Effect> {
        let own = self.viewer.as_ref().map(|viewer| viewer.sub.clone());
        match self.verify(token, now) {
            Ok(viewer) if self.denied.token(&viewer) => {
                vec![refuse(Some(id), "revoked", "The token was taken away.")]
            }
            Ok(viewer) if Some(&viewer.sub) == own.as_ref() => {
                let expires_at = rfc3339(viewer.expires_at());
                let lost: Vec<Channel> = self
                    .channels
                    .keys()
                    .filter_map(|name| name.parse().ok())
                    .filter(|channel| !viewer.may_watch(channel))
                    .collect();
                self.admit(viewer, now);
                let mut effects = vec![send(&ServerFrame::Refreshed { id, expires_at })];
                for channel in lost {
                    effects.extend(self.leave(channel, Unsubscribed::Forbidden));
                }
                effects
            }
            Ok(_) => vec![refuse(Some(id), "forbidden", "The token is somebody else's.")],
            Err(error) => vec![refuse(Some(id), error.label(), "The token is not taken.")],
        }
    }

    fn leave(&mut self, channel: Channel, reason: Unsubscribed) -> Vec<Effect> {
        let name = channel.to_string();
        self.channels.remove(&name);
        let frame = send(&ServerFrame::Unsubscribed { id: None, channel: &name, reason });
        vec![Effect::Unwatch(channel), frame]
    }

    /// Takes the snapshot that [`Effect::Watch`] asked for; none when there is nothing yet.
    pub fn snapshot(&mut self, channel: &str, state: Option<State>) -> Vec<Effect> {
        let subscription = self.channels.get_mut(channel);
        subscription.and_then(|s| s.snapshot(channel, state)).into_iter().collect()
    }

    /// Takes a newer (or older, or repeated) state.
    pub fn publication(&mut self, state: &State) -> Option<Effect> {
        self.channels.get_mut(state.channel())?.publication(state)
    }

    /// Looks at the clock: about once a second.
    pub fn tick(&mut self, now: DateTime<Utc>) -> Vec<Effect> {
        let Some(viewer) = &self.viewer else {
            let late = now - self.started >= HELLO_LIMIT;
            return late.then_some(Effect::Close(Close::NoHello)).into_iter().collect();
        };
        if now >= viewer.expires_at() + EXPIRY_GRACE {
            return vec![Effect::Close(Close::BadToken)];
        }
        let mut effects = self.revoked();
        if now >= self.refresh_at && !self.refresh_asked {
            self.refresh_asked = true;
            effects.push(send(&ServerFrame::Refresh));
        }
        effects
    }

    /// What was taken away since the last look.
    fn revoked(&mut self) -> Vec<Effect> {
        let changes = self.denied.changes();
        let Some(viewer) = self.viewer.as_ref().filter(|_| changes != self.held_against) else {
            return Vec::new();
        };
        self.held_against = changes;
        if self.denied.token(viewer) {
            return vec![Effect::Close(Close::Revoked)];
        }
        let channels = self.channels.keys().filter_map(|name| name.parse().ok());
        let lost: Vec<Channel> = channels.filter(|c| self.is_denied(viewer, c)).collect();
        lost.into_iter().flat_map(|channel| self.leave(channel, Unsubscribed::Revoked)).collect()
    }

    fn is_denied(&self, viewer: &Viewer, channel: &Channel) -> bool {
        matches!(channel, Channel::Order(order) if self.denied.order(viewer, order.as_str()))
    }

    /// `channel@version` of every channel, for SSE's `id:`.
    #[must_use]
    pub fn position(&self) -> String {
        let one = |(name, s): (&String, &Subscription)| format!("{name}@{}", s.version());
        self.channels.iter().map(one).collect::<Vec<_>>().join(",")
    }

    /// The channels that are watched.
    pub fn channels(&self) -> impl Iterator<Item = &str> {
        self.channels.keys().map(String::as_str)
    }

    fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Viewer, TokenError> {
        let viewer = self.auth.tokens.verify(token)?;
        if viewer.expires_at() <= now { Err(TokenError::Expired) } else { Ok(viewer) }
    }

    /// A newer token is asked for 30 s before the end, or at half time of a shorter one.
    fn admit(&mut self, viewer: Viewer, now: DateTime<Utc>) {
        let left = viewer.expires_at() - now;
        self.refresh_at = viewer.expires_at() - (left / 2).min(TimeDelta::seconds(30));
        self.refresh_asked = false;
        self.viewer = Some(viewer);
    }
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// A frame to send.
#[must_use]
pub fn send(frame: &ServerFrame<'_>) -> Effect {
    Effect::Send(frame.op(), frame.encode().into())
}

fn refuse(id: Option<u64>, code: &'static str, message: &'static str) -> Effect {
    crate::metric::refused(code);
    send(&ServerFrame::Error { id, code, message })
}
