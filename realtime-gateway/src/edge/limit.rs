//! Who is answered at all: requests for our names, so many per second and address.

use crate::gateway::{ClientAddress, Hosts};
use crate::metric;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::DefaultClock;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use service_kit::lifecycle::Lifecycle;
use service_kit::problem::Problem;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

type ByAddress = RateLimiter<IpAddr, HashMapStateStore<IpAddr>, DefaultClock>;

/// The limit; cheap to clone.
#[derive(Clone)]
pub struct Limiter(Arc<ByAddress>);

impl Limiter {
    /// So many a second, and twice as many at once. Addresses that are quiet are forgotten.
    #[must_use]
    pub fn new(life: &Lifecycle, per_second: u32) -> Self {
        let rate = NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(rate)
            .allow_burst(rate.saturating_mul(NonZeroU32::MIN.saturating_add(1)));
        let limiter = Arc::new(RateLimiter::hashmap(quota));
        let (kept, soft) = (limiter.clone(), life.soft().clone());
        life.spawn("limits", async move {
            loop {
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_mins(1)) => kept.retain_recent(),
                    () = soft.cancelled() => return,
                }
            }
        });
        Self(limiter)
    }
}

pub(super) async fn limit(
    State(limiter): State<Limiter>,
    ClientAddress(address): ClientAddress,
    request: Request,
    next: Next,
) -> Response {
    if limiter.0.check_key(&address).is_err() {
        metric::refused("too_many_requests");
        let problem =
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "Slower, please.");
        return problem.retry_after(1).into_response();
    }
    next.run(request).await
}

/// Answers only to our names (421, RFC 9110, 15.5.20).
pub(super) async fn named(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    if hosts.admit(request.headers()) {
        return next.run(request).await;
    }
    metric::refused("host");
    let detail = "This gateway does not answer to that name.";
    Problem::new(StatusCode::MISDIRECTED_REQUEST, "host", detail).into_response()
}
