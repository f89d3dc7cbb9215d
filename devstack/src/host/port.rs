//! Ports for programs that are started a moment later.
//!
//! The kernel takes the port of an outgoing connection out of `ip_local_port_range` (ip(7)), and that
//! of a listener that asks for port 0: a free one from there may be somebody's connection before the
//! program binds it, or while the program is away for a moment. Ports given here lie below that range,
//! where it leaves room.

use anyhow::bail;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::{Mutex, PoisonError};

/// First and last port that the kernel gives by itself.
const KERNELS: &str = "/proc/sys/net/ipv4/ip_local_port_range";
/// Below it lie the usual ports of well-known programs and of our own.
const FIRST: u16 = 10_000;
/// As many are enough for all that asks at the same time.
const ROOM: u16 = 1_000;
/// Where the kernel's range begins when it does not say.
const USUAL: u16 = 32_768;

/// What was given stays given until this process ends: by then a program listens there, or will again.
static HELD: Mutex<Vec<UnixListener>> = Mutex::new(Vec::new());

/// Some free ports of the loopback, given to nobody else who asks here, in any process.
///
/// # Errors
/// When no port is free.
pub fn free<const COUNT: usize>() -> anyhow::Result<[u16; COUNT]> {
    let range = range(&std::fs::read_to_string(KERNELS).unwrap_or_default());
    let mut ports = [0; COUNT];
    for port in &mut ports {
        // From a place of chance: who asks at the same moment does not meet us at every port.
        let start = fastrand::u16(range.clone());
        let all = (start..range.end).chain(range.start..start);
        *port = first(all)?;
    }
    Ok(ports)
}

/// The first of these ports that is free.
///
/// # Errors
/// When none is.
pub fn first(ports: impl IntoIterator<Item = u16>) -> anyhow::Result<u16> {
    for port in ports {
        if take(port)? {
            return Ok(port);
        }
    }
    bail!("no port is free")
}

/// Ports below those that the kernel gives by itself: `told` is its own first and last.
fn range(told: &str) -> Range<u16> {
    let first = told.split_whitespace().next().and_then(|first| first.parse().ok());
    match first.unwrap_or(USUAL) {
        first if first >= FIRST + ROOM => FIRST..first,
        // No room below: among the kernel's, as everybody else.
        _ => FIRST..USUAL,
    }
}

/// Takes a port, if it is nobody's.
///
/// # Errors
/// When that cannot be found out.
pub fn take(port: u16) -> io::Result<bool> {
    let mine = match hold(port) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => return Ok(false),
        other => other?,
    };
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    if free {
        HELD.lock().unwrap_or_else(PoisonError::into_inner).push(mine);
    }
    Ok(free)
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
        let told = std::fs::read_to_string(KERNELS).unwrap();
        let kernels: u16 = told.split_whitespace().next().unwrap().parse().unwrap();
        let ports = free::<50>().unwrap();
        let room = kernels >= FIRST + ROOM;
        assert!(!room || ports.iter().all(|port| *port < kernels), "{ports:?}, not {told}");
        assert_eq!(range("32768\t60999\n"), FIRST..32_768);
        assert_eq!(range("10001 65535"), FIRST..USUAL);
        assert_eq!(range(""), FIRST..USUAL);
    }

    #[test]
    fn a_port_is_given_once_and_none_where_somebody_listens() {
        let [port, other] = free().unwrap();
        assert!(port != other && !take(port).unwrap() && !take(other).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(!take(listener.local_addr().unwrap().port()).unwrap());
    }
}
