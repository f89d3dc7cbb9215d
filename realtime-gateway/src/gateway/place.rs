//! Room for live connections: in all, for each address, and for those that come at once.

use super::rate::PerAddress;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use service_kit::lifecycle::Lifecycle;
use service_kit::problem::Problem;
use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Why there is no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Full {
    /// The gateway has as many as it may.
    #[error("There is no room for another connection.")]
    Gateway,
    /// The address has as many as it may.
    #[error("There are too many connections from this address.")]
    Address,
    /// Too many come at once: each costs a signature and a snapshot.
    #[error("Too many connect at this moment.")]
    Rush,
}

impl Full {
    /// Label for metrics.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Gateway => "gateway_full",
            Self::Address => "address_full",
            Self::Rush => "connect_rate",
        }
    }
}

impl From<Full> for Problem {
    /// 503, with a time to come back that differs for each, so that not all come back at once.
    fn from(full: Full) -> Self {
        Self::unavailable(full.to_string()).retry_after(fastrand::u64(1..=5))
    }
}

/// The most that is let in.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Connections in all.
    pub all: u32,
    /// Connections for each address.
    pub per_address: u32,
    /// Connections that are accepted in a second.
    pub per_second: NonZeroU32,
}

#[derive(Debug, Default)]
struct Taken {
    all: u32,
    by_address: HashMap<IpAddr, u32>,
}

/// The room; cheap to clone.
#[derive(Debug, Clone)]
pub struct Places {
    taken: Arc<Mutex<Taken>>,
    room: Room,
    rate: Arc<DefaultDirectRateLimiter>,
    /// For each address a tenth of it: nobody takes the others' turn.
    own_rate: PerAddress,
}

/// A place that was taken; given back when dropped.
#[derive(Debug)]
pub struct Place {
    places: Places,
    address: IpAddr,
}

impl Places {
    /// So much room, and none of it taken.
    #[must_use]
    pub fn new(room: Room) -> Self {
        let rate = Arc::new(RateLimiter::direct(Quota::per_second(room.per_second)));
        let tenth = NonZeroU32::MIN.saturating_add(room.per_second.get() / 10);
        let own_rate = PerAddress::new(Quota::per_second(tenth));
        Self { taken: Arc::default(), room, rate, own_rate }
    }

    /// Forgets addresses that are quiet.
    pub fn start(&self, life: &Lifecycle) {
        self.own_rate.start(life);
    }

    /// Takes a place, if there is one.
    ///
    /// # Errors
    /// Why there is none.
    pub fn take(&self, address: IpAddr) -> Result<Place, Full> {
        let mut taken = self.lock();
        if taken.all >= self.room.all {
            return Err(Full::Gateway);
        }
        let own = taken.by_address.get(&address).copied().unwrap_or(0);
        if own >= self.room.per_address {
            return Err(Full::Address);
        }
        if !self.own_rate.lets(&address) {
            return Err(Full::Rush);
        }
        self.rate.check().map_err(|_| Full::Rush)?;
        taken.by_address.insert(address, own + 1);
        taken.all += 1;
        drop(taken);
        Ok(Place { places: self.clone(), address })
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

    fn room(all: u32, per_address: u32, per_second: u32) -> Places {
        let per_second = NonZeroU32::new(per_second).unwrap();
        Places::new(Room { all, per_address, per_second })
    }

    #[test]
    fn a_place_is_there_again_when_its_connection_ends() {
        let places = room(2, 1, 100);
        let [one, two, three]: [IpAddr; 3] =
            ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map(|address| address.parse().unwrap());
        let first = places.take(one);
        assert!(first.is_ok());
        assert_eq!(places.take(one).unwrap_err(), Full::Address);
        let second = places.take(two);
        assert!(second.is_ok());
        assert_eq!(places.take(three).unwrap_err(), Full::Gateway);
        drop(first);
        assert!(places.take(three).is_ok());
    }

    #[test]
    fn a_rush_is_spread_though_there_is_room() {
        let places = room(100, 100, 5);
        let address = |n: u32| IpAddr::from((0x0a00_0000 + n).to_be_bytes());
        let taken: Vec<_> = (0..20).map(|n| places.take(address(n))).collect();
        assert_eq!(taken.iter().filter(|place| place.is_ok()).count(), 5);
        assert_eq!(taken.last().unwrap().as_ref().unwrap_err(), &Full::Rush);
    }

    #[test]
    fn one_address_does_not_take_the_others_turn() {
        let (places, one) = (room(100, 100, 20), "10.0.0.1".parse().unwrap());
        let taken: Vec<_> = (0..10).map(|_| places.take(one)).collect();
        assert_eq!(taken.iter().filter(|place| place.is_ok()).count(), 3);
        assert!(places.take("10.0.0.2".parse().unwrap()).is_ok());
    }
}
