//! Who the viewer is, and until when: its tokens, and what is taken away from them.

use super::{Effect, Session, refuse, send};
use crate::authenticator::Refused;
use chrono::{DateTime, TimeDelta, Utc};
use contract::live::{Close, ServerFrame, Unsubscribed};
use contract::name::Channel;
use service_kit::token::Viewer;

impl Session {
    /// Takes the token, from a frame or from the handshake.
    pub fn hello(&mut self, token: &str, now: DateTime<Utc>) -> Vec<Effect> {
        if self.viewer.is_some() {
            return vec![Effect::Close(Close::BrokenFrame)];
        }
        match self.authenticator.viewer(token, now) {
            Err(Refused::Revoked) => vec![Effect::Close(Close::Revoked)],
            Err(Refused::Token(_)) => vec![Effect::Close(Close::BadToken)],
            // Another gateway may know; this one will in a moment.
            Err(Refused::Unknown) => vec![Effect::Close(Close::Overload)],
            Ok(viewer) => {
                let expires_at = rfc3339(viewer.expires_at());
                self.admit(viewer, now);
                let heartbeat_ms = self.rules.heartbeat_ms;
                vec![send(&ServerFrame::Welcome { session: &self.id, heartbeat_ms, expires_at })]
            }
        }
    }

    pub(super) fn refresh(&mut self, id: u64, token: &str, now: DateTime<Utc>) -> Vec<Effect> {
        let own = self.viewer.as_ref().map(|viewer| viewer.sub.clone());
        match self.authenticator.viewer(token, now) {
            Ok(viewer) if Some(&viewer.sub) == own.as_ref() => {
                let expires_at = rfc3339(viewer.expires_at());
                let lost = self.lost(&viewer);
                self.admit(viewer, now);
                let mut effects = vec![send(&ServerFrame::Refreshed { id, expires_at })];
                for (channel, reason) in lost {
                    effects.extend(self.leave(channel, reason));
                }
                effects
            }
            Ok(_) => vec![refuse(Some(id), "forbidden", "The token is somebody else's.")],
            Err(refused) => vec![refuse(Some(id), refused.label(), "The token is not taken.")],
        }
    }

    /// The watched channels that this token does not open.
    fn lost(&self, viewer: &Viewer) -> Vec<(Channel, Unsubscribed)> {
        let channels = self.channels.names().filter_map(|name| name.parse::<Channel>().ok());
        let reason = |channel: Channel| {
            if !viewer.may_watch(&channel) {
                Some((channel, Unsubscribed::Forbidden))
            } else if self.is_denied(viewer, &channel) {
                Some((channel, Unsubscribed::Revoked))
            } else {
                None
            }
        };
        channels.filter_map(reason).collect()
    }

    /// What was taken away since the last look.
    pub(super) fn revoked(&mut self) -> Vec<Effect> {
        let changes = self.authenticator.denied.changes();
        let Some(viewer) = self.viewer.as_ref().filter(|_| changes != self.held_against) else {
            return Vec::new();
        };
        self.held_against = changes;
        if self.authenticator.denied.token(viewer) || self.authenticator.denied.connection(&self.id)
        {
            return vec![Effect::Close(Close::Revoked)];
        }
        let lost = self.lost(viewer);
        lost.into_iter().flat_map(|(channel, reason)| self.leave(channel, reason)).collect()
    }

    pub(super) fn is_denied(&self, viewer: &Viewer, channel: &Channel) -> bool {
        let denied = &self.authenticator.denied;
        matches!(channel, Channel::Order(order) if denied.order(viewer, order.as_str()))
    }

    /// A newer token is asked for 30 s before the end, or at half time of a shorter one.
    fn admit(&mut self, viewer: Viewer, now: DateTime<Utc>) {
        self.expires_at = viewer.expires_at();
        let left = self.expires_at - now;
        self.refresh_at = self.expires_at - (left / 2).min(TimeDelta::seconds(30));
        self.refresh_asked = false;
        self.viewer = Some(viewer);
    }
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
