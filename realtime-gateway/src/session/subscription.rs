//! One channel of one viewer: waiting for its snapshot, then live.

use super::{Effect, send};
use crate::state::State;
use contract::live::ServerFrame;

pub(super) enum Subscription {
    /// Registered; what comes meanwhile is kept (the newest is enough).
    Waiting { id: Option<u64>, since: Option<u64>, newest: Option<State> },
    /// Sent up to this version.
    Live(u64),
}

impl Subscription {
    pub(super) fn waiting(id: Option<u64>, since: Option<u64>) -> Self {
        Self::Waiting { id, since, newest: None }
    }

    /// The version that the viewer has.
    pub(super) fn version(&self) -> u64 {
        match self {
            Self::Waiting { since, .. } => since.unwrap_or(0),
            Self::Live(version) => *version,
        }
    }

    /// The snapshot or what came meanwhile, whichever is newer, answers the request.
    pub(super) fn snapshot(&mut self, channel: &str, state: Option<State>) -> Option<Effect> {
        let Self::Waiting { id, since, newest } = self else {
            return state.as_ref().and_then(|state| self.publication(state));
        };
        let (id, since) = (*id, *since);
        let state = [state, newest.take()].into_iter().flatten().max_by_key(State::version);
        let version = state.as_ref().map_or(0, State::version);
        *self = Self::Live(version);
        Some(match &state {
            Some(_) if since == Some(version) => send(&ServerFrame::Same { id, channel, version }),
            _ => send(&ServerFrame::Snapshot {
                id,
                channel,
                version,
                data: state.as_ref().map(State::data),
            }),
        })
    }

    pub(super) fn publication(&mut self, state: &State) -> Option<Effect> {
        match self {
            Self::Waiting { newest, .. } => {
                if newest.as_ref().is_none_or(|known| known.version() < state.version()) {
                    *newest = Some(state.clone());
                }
                None
            }
            Self::Live(version) if state.version() > *version => {
                *version = state.version();
                Some(Effect::Send("update", state.update()))
            }
            Self::Live(_) => None,
        }
    }
}
