//! Ports: the usual ones when they are free, else the next free ones.

use crate::host::port;
use anyhow::bail;

/// The ports of one run.
#[derive(Debug, Clone)]
pub struct Ports {
    /// The gateways.
    pub gateways: [u16; 2],
    /// Their health and metrics.
    pub gateway_admin: [u16; 2],
    /// The aggregator, and its health and metrics.
    pub aggregator: [u16; 2],
    /// The notifier, and its health and metrics.
    pub notifier: [u16; 2],
    /// Control of the fakes.
    pub fakes: u16,
    /// The mail sink.
    pub smtp: u16,
}

impl Ports {
    /// Finds ports; the first gateway takes `wanted` or nothing.
    ///
    /// # Errors
    /// When the wanted port is taken, or no port is free.
    pub fn find(wanted: Option<u16>) -> anyhow::Result<Self> {
        let first = match wanted {
            Some(port) if !port::take(port)? => bail!("port {port} is taken"),
            Some(port) => port,
            None => near(8080)?,
        };
        Ok(Self {
            gateways: [first, near(8090)?],
            gateway_admin: [near(9080)?, near(9090)?],
            aggregator: [near(8081)?, near(9081)?],
            notifier: [near(8082)?, near(9082)?],
            fakes: near(8088)?,
            smtp: near(8025)?,
        })
    }
}

/// This port or the next that is free.
fn near(port: u16) -> anyhow::Result<u16> {
    port::first(port..=u16::MAX)
}
