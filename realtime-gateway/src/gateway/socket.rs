//! Connections by address that have not become live ones: a request that never ends takes a file handle
//! and a buffer, and nobody knows yet whose it is.

use super::address::{TrustedProxies, network};
use service_kit::http::Door;
use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

type Counts = Arc<Mutex<HashMap<IpAddr, u32>>>;

/// One of an address's connections, until this is dropped.
struct Held {
    counts: Counts,
    address: IpAddr,
}

/// Lets in so many of each address; our own proxies bring many clients.
#[must_use]
pub fn door(most: NonZeroU32, trusted: TrustedProxies) -> Door {
    let counts = Counts::default();
    Arc::new(move |peer| {
        if trusted.has(peer) {
            return Some(Box::new(()));
        }
        let address = network(peer);
        let mut held = counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(address).or_default();
        if *count >= most.get() {
            return None;
        }
        *count += 1;
        Some(Box::new(Held { counts: counts.clone(), address }))
    })
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_so_many_and_a_proxy_of_ours_any_number() {
        let trusted = TrustedProxies(["10.0.0.1/32".parse().unwrap()].into());
        let door = door(NonZeroU32::new(2).unwrap(), trusted);
        let [one, other, proxy]: [IpAddr; 3] =
            ["192.0.2.1", "192.0.2.2", "10.0.0.1"].map(|a| a.parse().unwrap());
        let held: Vec<_> = (0..2).map(|_| door(one)).collect();
        assert!(held.iter().all(Option::is_some) && door(one).is_none());
        assert!(door(other).is_some());
        let many: Vec<_> = (0..10).map(|_| door(proxy)).collect();
        assert!(many.iter().all(Option::is_some));
        drop(held);
        assert!(door(one).is_some());
    }
}
