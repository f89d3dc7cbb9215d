//! How often an address may do something in a second.

use governor::clock::DefaultClock;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use service_kit::lifecycle::Lifecycle;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How often addresses that are quiet are forgotten.
const FORGET: Duration = Duration::from_mins(1);

/// The rate for each address; cheap to clone.
#[derive(Debug, Clone)]
pub struct PerAddress(Arc<RateLimiter<IpAddr, HashMapStateStore<IpAddr>, DefaultClock>>);

impl PerAddress {
    /// So often.
    #[must_use]
    pub fn new(quota: Quota) -> Self {
        Self(Arc::new(RateLimiter::hashmap(quota)))
    }

    /// Once more: may it?
    #[must_use]
    pub fn lets(&self, address: &IpAddr) -> bool {
        self.0.check_key(address).is_ok()
    }

    /// Forgets addresses that are quiet, until the hard stop.
    pub fn start(&self, life: &Lifecycle) {
        let rates = self.0.clone();
        life.spawn_behind("rates", async move {
            loop {
                tokio::time::sleep(FORGET).await;
                rates.retain_recent();
                rates.shrink_to_fit();
            }
        });
    }
}
