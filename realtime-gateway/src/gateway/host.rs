//! By which names this gateway is reached. A page whose own name was made to point here (DNS
//! rebinding) asks for that name, and is sent away.

use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The names; cheap to clone. An empty list admits any.
#[derive(Debug, Clone)]
pub struct Hosts(Arc<BTreeSet<String>>);

impl Hosts {
    /// A list of names (`live.shop.example`), each good for every port.
    #[must_use]
    pub fn new(list: &[String]) -> Self {
        let names = list.iter().map(|name| name.trim().to_ascii_lowercase());
        Self(Arc::new(names.filter(|name| !name.is_empty()).collect()))
    }

    /// Is the request for one of these names?
    #[must_use]
    pub fn admit(&self, headers: &HeaderMap) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = host.and_then(|host| host.parse::<Authority>().ok());
        host.is_some_and(|host| self.0.contains(&host.host().to_ascii_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_names_are_answered_to_on_whatever_port() {
        let hosts = Hosts::new(&["Live.shop.example".to_owned(), "127.0.0.1".to_owned()]);
        let named = |host: &str| HeaderMap::from_iter([(HOST, host.parse().unwrap())]);
        for good in ["live.shop.example", "LIVE.shop.example:8443", "127.0.0.1:9"] {
            assert!(hosts.admit(&named(good)), "{good}");
        }
        for bad in ["evil.example", "live.shop.example.evil.example", "", "a b"] {
            assert!(!hosts.admit(&named(bad)), "{bad}");
        }
        assert!(!hosts.admit(&HeaderMap::new()));
        assert!(Hosts::new(&[]).admit(&HeaderMap::new()));
    }
}
