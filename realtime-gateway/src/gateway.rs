//! What every connection shares.

mod address;
mod origin;
mod place;

pub use address::{ClientAddress, TrustedProxies};
pub use origin::Origins;
pub use place::{Full, Place, Places, Room};

use crate::authenticator::Authenticator;
use crate::hub::{Hub, Viewer};
use crate::metric;
use crate::session::Rules;
use crate::snapshot::Ladder;
use axum::extract::FromRef;
use contract::name::Channel;
use redis::aio::ConnectionManager;
use service_kit::auth::Auth;
use service_kit::lifecycle::Lifecycle;
use service_kit::problem::Problem;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// The gateway; cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    /// Keys.
    pub auth: Arc<Auth>,
    /// Who holds a token.
    pub authenticator: Authenticator,
    /// Who watches what.
    pub hub: Hub,
    /// The way to a snapshot.
    pub ladder: Ladder,
    /// Redis, for tickets and revocations.
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
    /// Lets one more live connection in.
    ///
    /// # Errors
    /// 503 when there is no room, or the gateway is going away.
    pub fn admit(&self, address: IpAddr) -> Result<Place, Problem> {
        if self.life.soft().is_cancelled() {
            metric::refused("draining");
            return Err(Problem::unavailable("This gateway is going away."));
        }
        self.places.take(address).map_err(|full| {
            metric::refused(full.label());
            full.into()
        })
    }

    /// Fetches a channel's snapshot for a viewer that has entered it.
    pub fn fetch(&self, channel: Channel, viewer: &Viewer) {
        let (ladder, viewer) = (self.ladder.clone(), viewer.clone());
        let hard = self.life.hard().clone();
        self.life.spawn_light(async move {
            tokio::select! {
                state = ladder.climb(&channel) => {
                    viewer.snapshot(channel.to_string(), state).await;
                }
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
