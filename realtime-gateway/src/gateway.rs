//! What every connection shares.

mod address;
mod host;
mod origin;
mod rate;
mod place;
mod socket;

pub use address::{ClientAddress, TrustedProxies};
pub use host::Hosts;
pub use origin::Origins;
pub use place::{Full, Place, Places, Room};
pub use rate::PerAddress;
pub use socket::door;

use crate::authenticator::Authenticator;
use crate::census::{Census, Everywhere};
use crate::hub::Hub;
use crate::metric;
use crate::session::Rules;
use crate::snapshot::Ladder;
use axum::extract::FromRef;
use axum::http::{HeaderMap, StatusCode};
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
    /// Who watches on all gateways.
    pub everywhere: Everywhere,
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
    pub fn admit(&self, transport: &'static str, address: IpAddr) -> Result<Place, Problem> {
        if self.life.soft().is_cancelled() {
            turned_away(transport, "draining");
            return Err(Problem::unavailable("This gateway is going away."));
        }
        self.places.take(address).map_err(|full| {
            turned_away(transport, full.label());
            full.into()
        })
    }

    /// Lets a page's request pass, if its origin is in the list.
    ///
    /// # Errors
    /// 403 when it is not (cross-site WebSocket hijacking).
    pub fn admit_origin(
        &self,
        transport: &'static str,
        headers: &HeaderMap,
    ) -> Result<(), Problem> {
        if self.origins.admit(headers) {
            return Ok(());
        }
        turned_away(transport, "origin");
        Err(Problem::new(StatusCode::FORBIDDEN, "origin", "This origin is not in the list."))
    }
}

fn turned_away(transport: &'static str, why: &'static str) {
    metric::refused(why);
    metric::connect(transport, why);
}

impl FromRef<Gateway> for Arc<Auth> {
    fn from_ref(gateway: &Gateway) -> Self {
        gateway.auth.clone()
    }
}
