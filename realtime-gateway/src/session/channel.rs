//! What the viewer watches: entering and leaving channels, and the states that let through.

use super::subscription::Subscription;
use super::{Effect, Session, refuse, send};
use crate::state::State;
use contract::live::{MAX_CHANNELS, ServerFrame, Unsubscribed};
use contract::name::Channel;

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

    pub(super) fn unsubscribe(&mut self, id: u64, name: &str) -> Vec<Effect> {
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

    pub(super) fn leave(&mut self, channel: Channel, reason: Unsubscribed) -> Vec<Effect> {
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
}
