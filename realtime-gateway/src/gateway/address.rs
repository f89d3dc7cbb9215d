//! The client's address: the peer's, or what our own proxy says it is.

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use service_kit::problem::Problem;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// Addresses of our own proxies; nobody else's `X-Forwarded-For` is believed.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(pub Arc<Vec<IpAddr>>);

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
        let forwarded = parts.headers.get("x-forwarded-for").and_then(|value| value.to_str().ok());
        Ok(Self(network(client(peer, forwarded, &trusted.0))))
    }
}

/// From the right, the first address that is no proxy of ours: what stands left of it is the
/// client's own word.
fn client(peer: IpAddr, forwarded: Option<&str>, trusted: &[IpAddr]) -> IpAddr {
    if !trusted.contains(&peer) {
        return peer;
    }
    let hops = forwarded.unwrap_or_default().rsplit(',').map_while(|hop| hop.trim().parse().ok());
    hops.into_iter().find(|hop| !trusted.contains(hop)).unwrap_or(peer)
}

fn network(address: IpAddr) -> IpAddr {
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
        let [proxy, viewer, fake]: [IpAddr; 3] =
            ["10.0.0.1", "203.0.113.7", "8.8.8.8"].map(|a| a.parse().unwrap());
        let list = Some("8.8.8.8, 203.0.113.7");
        assert_eq!(client(proxy, list, &[proxy]), viewer);
        assert_eq!(client(viewer, list, &[proxy]), viewer);
        assert_eq!(client(proxy, None, &[proxy]), proxy);
        assert_ne!(client(proxy, list, &[proxy]), fake);
    }
}
