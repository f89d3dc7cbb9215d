//! Ports for programs that are started a moment later.
//!
//! The kernel takes the port of an outgoing connection out of `ip_local_port_range` (ip(7)), and that
//! of a listener that asks for port 0: a free one from there may be somebody's connection before the
//! program binds it, or while the program is away for a moment. Ports given here lie below that range.

use anyhow::Context;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::{Mutex, PoisonError};

/// First and last port that the kernel gives by itself.
const KERNELS: &str = "/proc/sys/net/ipv4/ip_local_port_range";
/// Below it lie the usual ports of well-known programs and of our own.
const FIRST: u16 = 10_000;
/// Where the kernel's range begins when it does not say.
const USUAL: u16 = 32_768;

/// What was given stays given until this process ends: by then a program listens there, or will again.
static HELD: Mutex<Vec<UnixListener>> = Mutex::new(Vec::new());

/// Some free ports of the loopback, given to nobody else who asks here, in any process.
///
/// # Errors
/// When no port is free.
pub fn free<const COUNT: usize>() -> anyhow::Result<[u16; COUNT]> {
    let range = range(&std::fs::read_to_string(KERNELS)?);
    let mut ports = [0; COUNT];
    for port in &mut ports {
        // From a place of chance: who asks at the same moment does not meet us at every port.
        let start = fastrand::u16(range.clone());
        let mut all = (start..range.end).chain(range.start..start);
        *port = all.find(|port| take(*port)).context("no free port")?;
    }
    Ok(ports)
}

/// Whether nobody listens on a port of the loopback.
#[must_use]
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Ports below those that the kernel gives by itself: `told` is its own first and last.
fn range(told: &str) -> Range<u16> {
    let first = told.split_whitespace().next().and_then(|first| first.parse().ok());
    match first.unwrap_or(USUAL) {
        first if first > FIRST => FIRST..first,
        // No room below: among the kernel's, as everybody else.
        _ => FIRST..USUAL,
    }
}

fn take(port: u16) -> bool {
    let Ok(mine) = hold(port) else { return false };
    let free = is_free(port);
    if free {
        HELD.lock().unwrap_or_else(PoisonError::into_inner).push(mine);
    }
    free
}

/// Holds a port against other processes of ours: an abstract name (unix(7)) is in one network
/// namespace as a port is, belongs to one, and goes with its process.
fn hold(port: u16) -> io::Result<UnixListener> {
    let name = format!("milepost-port-{port}");
    UnixListener::bind_addr(&SocketAddr::from_abstract_name(name)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_none_that_the_kernel_gives_by_itself() {
        let below = range(&std::fs::read_to_string(KERNELS).unwrap());
        let ports = free::<50>().unwrap();
        assert!(ports.iter().all(|port| below.contains(port) && is_free(*port)), "{ports:?}");
        assert_eq!(range("32768\t60999\n"), FIRST..32_768);
        assert_eq!(range("1024 65535"), FIRST..USUAL);
        assert_eq!(range(""), FIRST..USUAL);
    }

    #[test]
    fn a_port_is_given_once_and_none_where_somebody_listens() {
        let [port, other] = free().unwrap();
        assert!(port != other && !take(port) && !take(other));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(!take(listener.local_addr().unwrap().port()));
    }
}
