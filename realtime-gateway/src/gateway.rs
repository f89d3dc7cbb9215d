//! What every connection shares.

mod address;
mod origin;
mod place;

pub use address::{ClientAddress, TrustedProxies};
pub use origin::Origins;
pub use place::{Place, Places};

use crate::hub::{Hub, Viewer};
use crate::session::Rules;
use crate::snapshot::Ladder;
use axum::extract::FromRef;
use contract::name::Channel;
use redis::aio::ConnectionManager;
use service_kit::auth::Auth;
use service_kit::lifecycle::Lifecycle;
use std::sync::Arc;
use std::time::Duration;

/// The gateway; cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    /// Keys.
    pub auth: Arc<Auth>,
    /// Who watches what.
    pub hub: Hub,
    /// The way to a snapshot.
    pub ladder: Ladder,
    /// Redis, for tickets.
    pub redis: ConnectionManager,
    /// Ends with the process.
    pub life: Lifecycle,
    /// What sessions are told.
    pub rules: Rules,
    /// Where pages may come from.
    pub origins: Origins,
    /// Room for connections.
    pub places: Places,
    /// Over how long viewers are sent away.
    pub drain_window: Duration,
}

impl Gateway {
    /// Registers the viewer, then fetches the snapshot: in this order nothing falls between.
    pub fn watch(&self, channel: Channel, viewer: &Viewer) {
        let name = channel.to_string();
        self.hub.watch(&name, viewer);
        let (ladder, viewer) = (self.ladder.clone(), viewer.clone());
        let hard = self.life.hard().clone();
        self.life.spawn_light(async move {
            tokio::select! {
                state = ladder.climb(&channel) => drop(viewer.snapshot(name, state).await),
                () = viewer.gone() => {}
                () = hard.cancelled() => {}
            }
        });
    }
}

impl FromRef<Gateway> for Arc<Auth> {
    fn from_ref(gateway: &Gateway) -> Self {
        gateway.auth.clone()
    }
}
