//! The services behind the gateway: several addresses each, taken in turn.

use axum::http::Method;
use reqwest::{Client, RequestBuilder, Response};
use service_kit::problem::Problem;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// One service; cheap to clone.
#[derive(Debug, Clone)]
pub struct Upstream {
    client: Client,
    name: &'static str,
    addresses: Arc<Vec<String>>,
    next: Arc<AtomicUsize>,
}

/// A client for the services: short time-outs, no redirects, no proxy from the environment.
///
/// # Errors
/// When TLS cannot be set up.
pub fn client() -> Result<Client, reqwest::Error> {
    Client::builder()
        .connect_timeout(Duration::from_secs(1))
        .timeout(Duration::from_secs(5))
        // Before the service ends a quiet connection (15 s): a request that met its end half-way
        // could not be sent again.
        .pool_idle_timeout(Duration::from_secs(5))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
}

impl Upstream {
    /// A service by its addresses.
    #[must_use]
    pub fn new(client: Client, name: &'static str, addresses: &[String]) -> Self {
        let addresses = addresses.iter().map(|a| a.trim_end_matches('/').to_owned()).collect();
        Self { client, name, addresses: Arc::new(addresses), next: Arc::default() }
    }

    /// Sends a request that `prepare` completes. A safe one is tried once more, on the next
    /// address, when the first does not answer.
    ///
    /// # Errors
    /// 503 when nobody answers.
    pub async fn send(
        &self,
        method: &Method,
        path: &str,
        prepare: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Problem> {
        let tries = if method.is_safe() { 2 } else { 1 };
        for _ in 0..tries {
            let place = self.next.fetch_add(1, Ordering::Relaxed) % self.addresses.len().max(1);
            let Some(address) = self.addresses.get(place) else {
                break;
            };
            let request = self.client.request(method.clone(), format!("{address}{path}"));
            match prepare(request).send().await {
                Ok(response) => return Ok(response),
                Err(error) => {
                    // The address may hold a vendor's secret.
                    let error = error.without_url();
                    tracing::warn!(service = self.name, %error, "a service does not answer");
                }
            }
        }
        Err(Problem::unavailable("The service behind this route does not answer."))
    }
}
