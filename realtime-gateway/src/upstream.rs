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
use axum::http::{Method, StatusCode};
use pool::Pool;
use reqwest::header::HOST;
use reqwest::{Client, RequestBuilder, Response};
use service_kit::lifecycle::Lifecycle;
use service_kit::problem::Problem;
use std::sync::Arc;
use std::time::Duration;

/// An answer begins within this.
const ANSWER: Duration = Duration::from_secs(5);
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
        // Of each part of a body: how quickly a client takes a long one is its own matter.
        .read_timeout(ANSWER)
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
    /// another; one that did and was not answered, or was told to come again, only if it is safe
    /// (RFC 9110, 9.2.1), and once.
    ///
    /// # Errors
    /// 503 when nobody answers.
    pub async fn send(
        &self,
        method: &Method,
        path: &str,
        prepare: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Problem> {
        self.offer(method, path, method.is_safe(), prepare).await
    }

    /// The same for one that is not offered again once it has reached an instance, whatever its method:
    /// vendors call by GET to tell something.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn send_once(
        &self,
        method: &Method,
        path: &str,
        prepare: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Problem> {
        self.offer(method, path, false, prepare).await
    }

    async fn offer(
        &self,
        method: &Method,
        path: &str,
        repeatable: bool,
        prepare: impl Fn(RequestBuilder) -> RequestBuilder,
    ) -> Result<Response, Problem> {
        let (mut asked, mut unanswered, mut told) = (Vec::new(), 0, None);
        while asked.len() < TRIES {
            let Some(turn) = self.pool.pick(&asked) else {
                metric::upstream(self.name, "left_alone");
                break;
            };
            asked.push(turn.instance.clone());
            let request =
                self.client.request(method.clone(), format!("{}{path}", turn.instance.base));
            let request = turn.instance.host.iter().fold(request, |r, host| r.header(HOST, host));
            let again = repeatable && unanswered == 0;
            let answer = tokio::time::timeout(ANSWER, prepare(request).send()).await;
            match answer.map_err(|_| None).and_then(|sent| sent.map_err(Some)) {
                Ok(response) => {
                    turn.answered(is_gateway_error(response.status()));
                    let other = || again && self.pool.has_other(&asked);
                    if !(comes_again(response.status()) && other()) {
                        return Ok(response);
                    }
                    told = Some(response);
                    unanswered += 1;
                }
                Err(error) => {
                    turn.bad();
                    let reached = !error.as_ref().is_some_and(reqwest::Error::is_connect);
                    self.complain(error);
                    unanswered += usize::from(reached);
                    if reached && !again {
                        break;
                    }
                }
            }
        }
        let away = || Problem::unavailable("The service behind this route does not answer.");
        told.ok_or_else(|| away().retry_after(1))
    }

    fn complain(&self, error: Option<reqwest::Error>) {
        // The address may hold a vendor's secret.
        let why = error.map_or("no answer in time".to_owned(), |e| e.without_url().to_string());
        tracing::warn!(service = self.name, error = why, "a service does not answer");
    }
}

/// What stands between says that there is nobody: the instance is as good as away.
const fn is_gateway_error(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT)
}

/// Another instance may know better.
fn comes_again(status: StatusCode) -> bool {
    is_gateway_error(status) || status == StatusCode::SERVICE_UNAVAILABLE
}
