//! The instances of a service: found by name, and one of them chosen for each request.

use super::instance::{Instance, Turn};
use reqwest::Url;
use reqwest::header::HeaderValue;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// The instances.
#[derive(Debug)]
pub(super) struct Pool {
    service: &'static str,
    addresses: Vec<String>,
    instances: Mutex<Vec<Arc<Instance>>>,
}

impl Pool {
    /// The instances as they are written; names are looked up by [`Self::resolve`].
    pub(super) fn new(service: &'static str, addresses: &[String]) -> Self {
        let addresses: Vec<String> =
            addresses.iter().map(|address| address.trim_end_matches('/').to_owned()).collect();
        let plain = |address: &String| Arc::new(Instance::new(service, address.clone(), None));
        let instances = Mutex::new(addresses.iter().map(plain).collect());
        Self { service, addresses, instances }
    }

    /// Whether any of the addresses is a name.
    pub(super) fn has_names(&self) -> bool {
        self.addresses.iter().any(|address| named(address).is_some())
    }

    /// Looks the names up again. Those that are still there keep what is known of them; a name that
    /// cannot be looked up keeps its instances.
    pub(super) async fn resolve(&self) {
        let mut all: Vec<(String, Option<HeaderValue>)> = Vec::new();
        for address in &self.addresses {
            let Some(name) = named(address) else {
                all.push((address.clone(), None));
                continue;
            };
            match tokio::net::lookup_host((name.host.as_str(), name.port)).await {
                Ok(found) => {
                    let found: BTreeSet<SocketAddr> = found.collect();
                    all.extend(found.into_iter().map(|at| name.at(at)));
                }
                Err(error) => {
                    tracing::warn!(service = self.service, %error, "a name cannot be looked up");
                    all.extend(self.known(&name.authority));
                }
            }
        }
        if !all.is_empty() {
            self.replace(all);
        }
    }

    /// The instances that a name stood for, as far as it was known.
    fn known(&self, authority: &HeaderValue) -> Vec<(String, Option<HeaderValue>)> {
        let instances = self.lock();
        let same = instances.iter().filter(|one| one.host.as_ref() == Some(authority));
        same.map(|one| (one.base.clone(), one.host.clone())).collect()
    }

    fn replace(&self, all: Vec<(String, Option<HeaderValue>)>) {
        let mut instances = self.lock();
        let kept = |base: &str| instances.iter().find(|known| known.base == base).cloned();
        let one = |(base, host): (String, Option<HeaderValue>)| {
            kept(&base).unwrap_or_else(|| Arc::new(Instance::new(self.service, base, host)))
        };
        *instances = all.into_iter().map(one).collect();
    }

    /// The less busy of two that are drawn (Mitzenmacher's power of two choices), of those that are
    /// not left alone; one that was asked already only when there is no other. None when all are left
    /// alone.
    pub(super) fn pick(&self, asked: &[Arc<Instance>]) -> Option<Turn> {
        let now = Instant::now();
        let instances = self.lock();
        let admitted = |new: bool| {
            let was_asked = |one: &Arc<Instance>| asked.iter().any(|known| Arc::ptr_eq(known, one));
            let fits = move |one: &&Arc<Instance>| one.admits(now) && (!new || !was_asked(one));
            instances.iter().filter(fits).collect::<Vec<_>>()
        };
        let mut candidates = admitted(true);
        if candidates.is_empty() {
            candidates = admitted(false);
        }
        let draw = |candidates: &mut Vec<&Arc<Instance>>| {
            (!candidates.is_empty())
                .then(|| candidates.swap_remove(fastrand::usize(..candidates.len())).clone())
        };
        let drawn = [draw(&mut candidates), draw(&mut candidates)];
        drawn.into_iter().flatten().min_by_key(|one| one.load()).map(Turn::begin)
    }

    /// Is there one that may be asked and was not?
    pub(super) fn has_other(&self, asked: &[Arc<Instance>]) -> bool {
        let now = Instant::now();
        let new = |one: &Arc<Instance>| !asked.iter().any(|known| Arc::ptr_eq(known, one));
        self.lock().iter().any(|one| new(one) && one.admits(now))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Instance>>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An address whose host is a name.
struct Named {
    host: String,
    port: u16,
    authority: HeaderValue,
    path: String,
}

/// Over TLS the name is part of the proof of who it is: there the client looks it up by itself.
fn named(address: &str) -> Option<Named> {
    let url: Url = address.parse().ok()?;
    let host = url.host_str().filter(|_| url.scheme() == "http" && url.domain().is_some())?;
    let port = url.port_or_known_default()?;
    let authority = HeaderValue::from_str(&format!("{host}:{port}")).ok()?;
    let path = url.path().trim_end_matches('/').to_owned();
    Some(Named { host: host.to_owned(), port, authority, path })
}

impl Named {
    fn at(&self, address: SocketAddr) -> (String, Option<HeaderValue>) {
        (format!("http://{address}{}", self.path), Some(self.authority.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(addresses: &[&str]) -> Pool {
        Pool::new("tests", &addresses.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>())
    }

    #[tokio::test]
    async fn a_name_becomes_its_addresses_which_keep_what_is_known_of_them() {
        let pool = pool(&["http://localhost:81/base/", "http://127.0.0.1:82"]);
        assert!(pool.has_names());
        pool.resolve().await;
        let bases: Vec<String> = pool.lock().iter().map(|one| one.base.clone()).collect();
        assert!(bases.contains(&"http://127.0.0.1:81/base".to_owned()), "{bases:?}");
        assert!(bases.contains(&"http://127.0.0.1:82".to_owned()), "{bases:?}");
        let named = pool.lock().iter().find(|one| one.base.ends_with("/base")).cloned().unwrap();
        assert_eq!(named.host.as_ref().unwrap(), "localhost:81");
        pool.resolve().await;
        assert!(pool.lock().iter().any(|one| Arc::ptr_eq(one, &named)));
    }

    #[tokio::test]
    async fn a_name_that_cannot_be_looked_up_keeps_its_own_and_stops_no_other() {
        let pool = pool(&["http://no.such.name.invalid:81", "http://localhost:82"]);
        pool.replace(vec![(
            "http://192.0.2.1:81".to_owned(),
            Some(HeaderValue::from_static("no.such.name.invalid:81")),
        )]);
        pool.resolve().await;
        let bases: Vec<String> = pool.lock().iter().map(|one| one.base.clone()).collect();
        assert!(bases.contains(&"http://192.0.2.1:81".to_owned()), "{bases:?}");
        assert!(bases.contains(&"http://127.0.0.1:82".to_owned()), "{bases:?}");
    }

    #[test]
    fn only_names_without_tls_are_looked_up() {
        for fixed in ["https://aggregator:81", "http://127.0.0.1:81", "http://[::1]:81"] {
            assert!(!pool(&[fixed]).has_names(), "{fixed}");
        }
    }

    #[test]
    fn the_less_busy_is_asked_and_nobody_who_is_left_alone() {
        let pool = pool(&["http://127.0.0.1:1", "http://127.0.0.1:2"]);
        let first = pool.pick(&[]).unwrap();
        let second = pool.pick(&[]).unwrap();
        assert!(!Arc::ptr_eq(&first.instance, &second.instance), "the other one is less busy");
        drop(second);
        let asked = [first.instance.clone()];
        drop(first);
        for _ in 0..3 {
            let other = pool.pick(&asked).unwrap();
            assert!(!Arc::ptr_eq(&other.instance, &asked[0]));
            other.bad();
        }
        for _ in 0..10 {
            assert!(Arc::ptr_eq(&pool.pick(&[]).unwrap().instance, &asked[0]));
        }
        assert!(Arc::ptr_eq(&pool.pick(&asked).unwrap().instance, &asked[0]), "there is no other");
        for _ in 0..3 {
            pool.pick(&[]).unwrap().bad();
        }
        assert!(pool.pick(&[]).is_none());
    }
}
