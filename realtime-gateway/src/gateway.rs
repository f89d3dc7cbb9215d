//! What every connection shares.

mod address;
mod host;
mod origin;
mod rate;
mod place;

pub use address::{ClientAddress, TrustedProxies};
pub use host::Hosts;
pub use origin::Origins;
pub use place::{Full, Place, Places, Room};
pub use rate::PerAddress;

use crate::authenticator::Authenticator;
use crate::census::Census;
use crate::hub::Hub;
use crate::metric;
use crate::session::Rules;
use crate::snapshot::Ladder;
use axum::extract::FromRef;
use service_kit::auth::Auth;
use service_kit::lifecycle::Lifecycle;
use service_kit::problem::Problem;
use service_kit::redis::Redis;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// The gateway; cheap to clone, since every connection holds it.
#[derive(Clone)]
pub struct Gateway(Arc<Parts>);

/// What it is made of.
pub struct Parts {
    /// Keys.
    pub auth: Arc<Auth>,
    /// Who holds a token.
    pub authenticator: Authenticator,
    /// Who watches what.
    pub hub: Hub,
    /// Who is connected, by name.
    pub census: Census,
    /// The way to a snapshot.
    pub ladder: Ladder,
    /// Redis, for tickets and revocations.
    pub redis: Redis,
    /// Ends with the process.
    pub life: Lifecycle,
    /// What sessions are told.
    pub rules: Rules,
    /// Where pages may come from.
    pub origins: Origins,
    /// By which names this gateway is reached.
    pub hosts: Hosts,
    /// Room for connections.
    pub places: Places,
    /// How old a connection grows.
    pub rotate_after: Duration,
}

impl Deref for Gateway {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Gateway {
    /// A gateway of its parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

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
}

impl FromRef<Gateway> for Arc<Auth> {
    fn from_ref(gateway: &Gateway) -> Self {
        gateway.auth.clone()
    }
}
