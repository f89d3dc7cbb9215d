//! Letters by SMTP: several servers, the next one when one is down.

mod classify;
mod message;

pub use message::{Envelope, Sender};

use crate::outcome::Outcome;
use lettre::transport::smtp::PoolConfig;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::time::Duration;

type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// The mail servers.
pub struct Mailer {
    chain: Vec<Transport>,
    timeout: Duration,
}

impl Mailer {
    /// Mail servers by their URLs, in order of preference.
    ///
    /// # Errors
    /// A sentence that says which of them is no SMTP URL, never the URL: it may hold a password.
    pub fn new(urls: &str, timeout: Duration, connections: usize) -> Result<Self, String> {
        let build = |(place, url): (usize, &str)| {
            let builder = Transport::from_url(url.trim());
            let builder =
                builder.map_err(|_| format!("SMTP_URL: number {} is no SMTP URL", place + 1))?;
            let size = u32::try_from(connections).unwrap_or(16);
            let pool = PoolConfig::new().max_size(size).idle_timeout(Duration::from_secs(20));
            Ok(builder.timeout(Some(timeout)).pool_config(pool).build())
        };
        let chain = urls.split(',').enumerate().map(build).collect::<Result<Vec<_>, String>>()?;
        Ok(Self { chain, timeout })
    }

    /// The longest that a letter may take through the whole chain.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.timeout * u32::try_from(self.chain.len()).unwrap_or(1)
    }

    /// Sends a letter; a server that is down hands it to the next one.
    pub async fn send(&self, message: &Message) -> Outcome {
        let mut last = Outcome::ProviderDown("no mail server".to_owned());
        for transport in &self.chain {
            // The library's own time-out covers the connection only, not a server that says nothing.
            let sent = tokio::time::timeout(self.timeout, transport.send(message.clone())).await;
            last = match sent {
                Ok(Ok(_)) => return Outcome::Accepted,
                Ok(Err(error)) => classify::classify(&error),
                Err(_) => Outcome::Ambiguous("timeout".to_owned()),
            };
            if !matches!(last, Outcome::ProviderDown(_)) {
                break;
            }
        }
        last
    }
}
