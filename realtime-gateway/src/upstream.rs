//! The services behind the gateway: several instances each, of which the less busy one is asked.
//!
//! `pool` knows the instances and chooses → `instance` counts what is under way → `breaker` leaves one
//! alone that does not answer.

mod breaker;
mod instance;
mod pool;
#[cfg(test)]
mod tests;

use crate::metric;
use axum::http::Method;
use pool::Pool;
use reqwest::header::HOST;
use reqwest::{Client, RequestBuilder, Response};
use service_kit::lifecycle::Lifecycle;
use service_kit::problem::Problem;
use std::sync::Arc;
use std::time::Duration;

/// How often names are looked up.
const LOOK_UP: Duration = Duration::from_secs(5);
/// Instances that one request is offered to, at most.
const TRIES: usize = 3;

/// One service; cheap to clone.
#[derive(Debug, Clone)]
pub struct Upstream {
    client: Client,
    name: &'static str,
    pool: Arc<Pool>,
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
    /// A service by its addresses: of instances, or names that stand for several.
    #[must_use]
    pub fn new(client: Client, name: &'static str, addresses: &[String]) -> Self {
        Self { client, name, pool: Arc::new(Pool::new(name, addresses)) }
    }

    /// Looks names up again and again, until the hard stop.
    pub fn start(&self, life: &Lifecycle) {
        if !self.pool.has_names() {
            return;
        }
        let pool = self.pool.clone();
        life.spawn_behind("discovery", async move {
            loop {
                pool.resolve().await;
                tokio::time::sleep(LOOK_UP).await;
            }
        });
    }

    /// Sends a request that `prepare` completes. One that did not reach its instance is offered to
    /// another; one that did and was not answered only if it is safe (RFC 9110, 9.2.1), and once.
    ///
    /// # Errors
    /// 503 when nobody answers.
    pub async fn send(
        &self,
        method: &Method,
        path: &str,
        prepare: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Problem> {
        let (mut asked, mut unanswered) = (Vec::new(), 0);
        while asked.len() < TRIES {
            let Some(turn) = self.pool.pick(&asked) else {
                metric::upstream(self.name, "left_alone");
                break;
            };
            asked.push(turn.instance.clone());
            let request =
                self.client.request(method.clone(), format!("{}{path}", turn.instance.base));
            let request = turn.instance.host.iter().fold(request, |r, host| r.header(HOST, host));
            match prepare(request).send().await {
                Ok(response) => {
                    turn.good();
                    return Ok(response);
                }
                Err(error) => {
                    turn.bad();
                    let reached = !error.is_connect();
                    // The address may hold a vendor's secret.
                    let error = error.without_url();
                    tracing::warn!(service = self.name, %error, "a service does not answer");
                    unanswered += usize::from(reached);
                    if reached && (!method.is_safe() || unanswered > 1) {
                        break;
                    }
                }
            }
        }
        Err(Problem::unavailable("The service behind this route does not answer.").retry_after(1))
    }
}
