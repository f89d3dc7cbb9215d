//! The client's address: the peer's, or what our own proxy says it is.

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use ipnet::IpNet;
use service_kit::problem::Problem;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// Networks of our own proxies; nobody else's `X-Forwarded-For` is believed.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(pub Arc<[IpNet]>);

impl TrustedProxies {
    /// Is it one of them?
    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// The address that limits count by; of IPv6 its network of 64 bits, since that is what one customer
/// has (RFC 6177).
#[derive(Debug, Clone, Copy)]
pub struct ClientAddress(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let trusted = parts.extensions.get::<TrustedProxies>().cloned().unwrap_or_default();
        Ok(Self(network(client(peer, &forwarded(&parts.headers), &trusted))))
    }
}

/// All that stands in `X-Forwarded-For`, as one list: a proxy may add a line of its own (RFC 9110, 5.2).
fn forwarded(headers: &HeaderMap) -> String {
    let lines = headers.get_all("x-forwarded-for").into_iter();
    lines.map(|line| line.to_str().unwrap_or_default()).collect::<Vec<_>>().join(",")
}

/// From the right, the first address that is no proxy of ours: what stands left of it is the
/// client's own word.
fn client(peer: IpAddr, forwarded: &str, trusted: &TrustedProxies) -> IpAddr {
    if !trusted.has(peer) {
        return peer;
    }
    let hops = forwarded.rsplit(',').map_while(|hop| hop.trim().parse().ok());
    hops.into_iter().find(|hop| !trusted.has(*hop)).unwrap_or(peer)
}

/// The address that is counted for a peer.
#[must_use]
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((address.to_bits() & !u128::from(u64::MAX)).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_customer_has_a_whole_network() {
        let [one, other, v4]: [IpAddr; 3] =
            ["2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "203.0.113.7"].map(|a| a.parse().unwrap());
        assert_eq!(network(one), network(other));
        assert_eq!(network("::ffff:203.0.113.7".parse().unwrap()), v4);
    }

    #[test]
    fn only_our_own_proxies_are_believed() {
        let [proxy, viewer]: [IpAddr; 2] = ["10.0.0.1", "203.0.113.7"].map(|a| a.parse().unwrap());
        let ours = TrustedProxies(["10.0.0.0/8".parse().unwrap()].into());
        let list = "8.8.8.8, 203.0.113.7";
        assert_eq!(client(proxy, list, &ours), viewer);
        assert_eq!(client("::ffff:10.0.0.1".parse().unwrap(), list, &ours), viewer);
        assert_eq!(client(viewer, list, &ours), viewer);
        assert_eq!(client(proxy, "", &ours), proxy);
        assert_eq!(client(proxy, list, &TrustedProxies::default()), proxy);
    }

    #[test]
    fn a_line_that_the_client_wrote_itself_is_left_of_the_proxys() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", "8.8.8.8".parse().unwrap());
        headers.append("x-forwarded-for", "203.0.113.7".parse().unwrap());
        assert_eq!(forwarded(&headers), "8.8.8.8,203.0.113.7");
    }
}
