//! What the viewer watches: entering and leaving channels, and the states that let through.

use super::subscription::Subscription;
use super::{Effect, Session, refuse, send};
use crate::state::State;
use contract::live::{MAX_CHANNELS, ServerFrame, Unsubscribed};
use contract::name::Channel;

/// The channels of one viewer. A list, since most watch one or two: a tree or a table would take
/// more memory than all the rest of a session.
#[derive(Default)]
pub(super) struct Channels(Vec<(Box<str>, Subscription)>);

impl Channels {
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_ref())
    }

    pub(super) fn versions(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(name, subscription)| (name.as_ref(), subscription.version()))
    }

    fn has(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    fn get_mut(&mut self, name: &str) -> Option<&mut Subscription> {
        self.0.iter_mut().find(|(known, _)| known.as_ref() == name).map(|(_, one)| one)
    }

    fn remove(&mut self, name: &str) -> bool {
        let place = self.names().position(|known| known == name);
        place.map(|place| self.0.swap_remove(place)).is_some()
    }
}

impl Session {
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
        if self.channels.has(name) {
            return vec![refuse(id, "already_subscribed", "The channel is watched already.")];
        }
        if self.channels.0.len() >= MAX_CHANNELS {
            return vec![refuse(
                id,
                "too_many_channels",
                "A connection watches at most 50 channels.",
            )];
        }
        self.channels.0.push((name.into(), Subscription::waiting(id, since)));
        vec![Effect::Watch(channel)]
    }

    pub(super) fn unsubscribe(&mut self, id: u64, name: &str) -> Vec<Effect> {
        match (self.channels.remove(name), name.parse()) {
            (true, Ok(channel)) => {
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

    pub(super) fn leave(&mut self, channel: Channel, reason: Unsubscribed) -> Vec<Effect> {
        let name = channel.to_string();
        self.channels.remove(&name);
        let frame = send(&ServerFrame::Unsubscribed { id: None, channel: &name, reason });
        vec![Effect::Unwatch(channel), frame]
    }

    /// Takes the snapshot that [`Effect::Watch`] asked for; none when there is nothing yet.
    pub fn snapshot(&mut self, channel: &str, state: Option<State>) -> Option<Effect> {
        self.channels.get_mut(channel)?.snapshot(channel, state)
    }

    /// Takes a newer (or older, or repeated) state.
    pub fn publication(&mut self, state: &State) -> Option<Effect> {
        self.channels.get_mut(state.channel())?.publication(state)
    }
}
