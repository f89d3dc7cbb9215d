//! Room for live connections, in all and for each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
struct Taken {
    all: u32,
    by_address: HashMap<IpAddr, u32>,
}

/// The room; cheap to clone.
#[derive(Debug, Clone)]
pub struct Places {
    taken: Arc<Mutex<Taken>>,
    most: u32,
    most_per_address: u32,
}

/// A place that was taken; given back when dropped.
#[derive(Debug)]
pub struct Place {
    places: Places,
    address: IpAddr,
}

impl Places {
    /// So many in all, and so many for each address.
    #[must_use]
    pub fn new(most: u32, most_per_address: u32) -> Self {
        Self { taken: Arc::default(), most, most_per_address }
    }

    /// Takes a place, if there is one.
    #[must_use]
    pub fn take(&self, address: IpAddr) -> Option<Place> {
        let mut taken = self.lock();
        let full = taken.all >= self.most;
        let own = taken.by_address.entry(address).or_default();
        if full || *own >= self.most_per_address {
            return None;
        }
        *own += 1;
        taken.all += 1;
        drop(taken);
        Some(Place { places: self.clone(), address })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all = taken.all.saturating_sub(1);
        let left = taken.by_address.get_mut(&self.address).map(|own| {
            *own = own.saturating_sub(1);
            *own
        });
        if left == Some(0) {
            taken.by_address.remove(&self.address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_there_again_when_its_connection_ends() {
        let places = Places::new(2, 1);
        let (one, two, three): (IpAddr, IpAddr, IpAddr) =
            ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap(), "10.0.0.3".parse().unwrap());
        let first = places.take(one);
        assert!(first.is_some() && places.take(one).is_none());
        let second = places.take(two);
        assert!(second.is_some() && places.take(three).is_none());
        drop(first);
        assert!(places.take(three).is_some());
    }
}
