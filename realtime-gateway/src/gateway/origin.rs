//! Where pages may come from: for WebSocket, SSE and CORS alike.
//!
//! Browsers let any page open a WebSocket to us and send the `Origin` along; without this list
//! a foreign page could use a token that it got hold of.

use axum::http::{HeaderMap, HeaderValue, header};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The list; cheap to clone.
#[derive(Debug, Clone)]
pub struct Origins {
    list: Arc<BTreeSet<String>>,
}

impl Origins {
    /// A list of origins (`https://shop.example`, without a path).
    #[must_use]
    pub fn new(list: &[String]) -> Self {
        let plain = list.iter().map(|o| o.trim().trim_end_matches('/').to_ascii_lowercase());
        Self { list: Arc::new(plain.filter(|o| !o.is_empty()).collect()) }
    }

    /// Is this origin in the list?
    #[must_use]
    pub fn allows(&self, origin: &HeaderValue) -> bool {
        origin.to_str().is_ok_and(|origin| self.list.contains(&origin.to_ascii_lowercase()))
    }

    /// May this request open a live connection? One without `Origin` comes from no page.
    #[must_use]
    pub fn admit(&self, headers: &HeaderMap) -> bool {
        headers.get(header::ORIGIN).is_none_or(|origin| self.allows(origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_origins_pass_and_no_origin_passes() {
        let origins = Origins::new(&["https://Shop.example/".to_owned()]);
        let with = |origin: &str| HeaderMap::from_iter([(header::ORIGIN, origin.parse().unwrap())]);
        assert!(origins.admit(&with("https://shop.example")));
        assert!(origins.admit(&HeaderMap::new()));
        for bad in
            ["https://evil.example", "http://shop.example", "null", "https://shop.example.evil.com"]
        {
            assert!(!origins.admit(&with(bad)), "{bad}");
        }
    }
}
