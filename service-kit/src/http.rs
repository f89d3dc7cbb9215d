//! Serving HTTP: request ids, one log line and one metric for each request, health and metrics.

mod accept;
mod plain;
mod versioned;

pub use accept::{Door, bind, patient};
pub use versioned::versioned;

use crate::clock;
use crate::health::Health;
use crate::lifecycle::Lifecycle;
use crate::problem::Problem;
use crate::span;
use crate::telemetry;
use crate::trace::TraceContext;
use accept::Site;
use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use contract::name::TRACEPARENT;
use std::time::{Instant, SystemTime};
use tokio::net::TcpListener;
use uuid::Uuid;

/// Header of the request's id; a caller's own is kept when it is a sane one.
pub const REQUEST_ID: &str = "x-request-id";

/// Serves the router until the soft stop, then finishes what is in hand.
pub fn serve(life: &Lifecycle, listener: TcpListener, router: Router, door: Option<Door>) {
    let router = router.layer(middleware::from_fn(observe));
    let site = Site { life: life.clone(), router, door, until: life.soft().clone() };
    life.spawn("http", async move {
        let tasks = site.life.clone();
        accept::connections(&site, &listener, |task| tasks.spawn_light(task)).await;
    });
}

/// Serves those who watch over this process until the hard stop: how an orderly stop goes is what they
/// want to know. Nobody waits for them.
pub fn serve_admin(life: &Lifecycle, listener: TcpListener, router: Router) {
    let router = router.layer(middleware::from_fn(observe));
    let site = Site { life: life.clone(), router, door: None, until: life.hard().clone() };
    life.spawn_behind("admin", async move {
        let tasks = site.life.clone();
        accept::connections(&site, &listener, |task| tasks.spawn_behind("admin", task)).await;
    });
}

/// `/health/live`, `/health/ready`, `/metrics`: for the address that is never public.
pub fn admin_router(health: Health, life: &Lifecycle) -> Router {
    let life = life.clone();
    let ready = move |State(health): State<Health>| async move {
        if life.is_leaving() {
            return Problem::unavailable("stopping").into_response();
        }
        match health.problem() {
            None => StatusCode::NO_CONTENT.into_response(),
            Some(why) => Problem::unavailable(why).into_response(),
        }
    };
    Router::new()
        .route("/health/live", get(|| async { StatusCode::NO_CONTENT }))
        .route("/health/ready", get(ready))
        .route("/metrics", get(|| async { metrics_page() }))
        .with_state(health)
}

fn metrics_page() -> Response {
    let handle = telemetry::metrics();
    handle.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], handle.render()).into_response()
}

/// Names the request, counts and times it by route, and writes the id into problems.
async fn observe(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(&request);
    let route =
        request.extensions().get::<MatchedPath>().map_or("unmatched", |p| p.as_str()).to_owned();
    let method = request.method().clone();
    if let Ok(value) = HeaderValue::from_str(&id) {
        // Whoever the request is passed on to speaks of it by the same name.
        request.headers_mut().insert(REQUEST_ID, value);
    }
    let place = place(&mut request, &route);
    let mut response = plain::named(next.run(request).await).await;
    if let Some(problem) = response.extensions().get::<Problem>() {
        let named = problem.render(Some(&id));
        response = with_headers_of(named, response.headers());
    }
    let status = response.status();
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    if let Some((place, began)) = place {
        let said = vec![("http.response.status_code", status.as_str().to_owned())];
        span::record(format!("{method} {route}"), span::Kind::Answer, &place, began, said);
    }
    let labels = [("route", route.clone()), ("status", status.as_str().to_owned())];
    metrics::histogram!("http_request_seconds", &labels).record(started.elapsed());
    let duration_ms = started.elapsed().as_secs_f64() * 1000.0;
    if status.is_server_error() {
        tracing::warn!(request.id = %id, %method, route, status = status.as_u16(), duration_ms, "request failed");
    } else {
        tracing::debug!(request.id = %id, %method, route, status = status.as_u16(), duration_ms, "request");
    }
    response
}

/// Keeps what was said beside the problem: which origins may read it, which methods there are.
fn with_headers_of(mut response: Response, said: &HeaderMap) -> Response {
    for name in said.keys().filter(|name| **name != header::CONTENT_LENGTH) {
        if !response.headers().contains_key(name) {
            for value in said.get_all(name) {
                response.headers_mut().append(name.clone(), value.clone());
            }
        }
    }
    response
}

/// The request's place in its trace, which whoever it is passed on to goes on from; none when nobody
/// wants to know, or for what is asked every few seconds.
fn place(request: &mut Request, route: &str) -> Option<(TraceContext, SystemTime)> {
    if !span::is_wanted() || route.starts_with("/health") || route == "/metrics" {
        return None;
    }
    let given = request.headers().get(TRACEPARENT).and_then(|value| value.to_str().ok());
    let place = TraceContext::continued(given);
    let value = HeaderValue::from_str(&place.to_string()).ok()?;
    request.headers_mut().insert(TRACEPARENT, value);
    Some((place, clock::now().into()))
}

fn request_id(request: &Request) -> String {
    let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let sane = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    given.filter(sane).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}
