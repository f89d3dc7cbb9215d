//! Who is answered at all: requests for our names, so many per second and address.

use crate::gateway::{ClientAddress, Hosts, PerAddress};
use crate::metric;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::Quota;
use service_kit::lifecycle::Lifecycle;
use service_kit::problem::Problem;
use std::num::NonZeroU32;
use std::time::Duration;

/// How long a body may take to come.
const BODY: Duration = Duration::from_secs(15);

/// The limit; cheap to clone.
#[derive(Clone)]
pub struct Limiter(PerAddress);

impl Limiter {
    /// So many a second, and twice as many at once.
    #[must_use]
    pub fn new(life: &Lifecycle, rate: NonZeroU32) -> Self {
        let burst = rate.saturating_mul(NonZeroU32::MIN.saturating_add(1));
        let rates = PerAddress::new(Quota::per_second(rate).allow_burst(burst));
        rates.start(life);
        Self(rates)
    }
}

pub(super) async fn limit(
    State(limiter): State<Limiter>,
    ClientAddress(address): ClientAddress,
    request: Request,
    next: Next,
) -> Response {
    if !limiter.0.lets(&address) {
        metric::refused("too_many_requests");
        let problem =
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "Slower, please.");
        return problem.retry_after(1).into_response();
    }
    next.run(request).await
}

/// Takes a body of a length and within a time that we can afford: one that trickles would hold its
/// connection for ever.
pub(super) async fn whole(request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let told = |name| head.headers.contains_key(name);
    if !told(header::CONTENT_LENGTH) && !told(header::TRANSFER_ENCODING) {
        return next.run(Request::from_parts(head, body)).await;
    }
    let taken = Bytes::from_request(Request::from_parts(head.clone(), body), &());
    let (status, code, why) = match tokio::time::timeout(BODY, taken).await {
        Ok(Ok(bytes)) => return next.run(Request::from_parts(head, Body::from(bytes))).await,
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            (rejection.status(), "too_large", "At most 1 MiB.")
        }
        Ok(Err(rejection)) => (rejection.status(), "bad_request", "The body did not come whole."),
        Err(_) => (StatusCode::REQUEST_TIMEOUT, "too_slow", "The body did not come in time."),
    };
    metric::refused(code);
    Problem::new(status, code, why).into_response()
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
