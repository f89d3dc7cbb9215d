//! The one entry point for client applications: tokens, tickets, pages, and everything that is
//! passed on to a service.

mod limit;
mod proxy;
mod lookup;
mod page;
mod timeline;
mod token;
mod revoke;
mod viewer;
pub mod document;

pub use limit::Limiter;
pub use page::Pages;
pub use proxy::Services;

use crate::gateway::{Gateway, TrustedProxies};
use crate::ticket;
use crate::transport::{sse, websocket};
use crate::upstream::Upstream;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, Method, header};
use axum::routing::{delete, get, post, put};
use axum::{Extension, Router, middleware};
use service_kit::http::REQUEST_ID;
use std::time::Duration;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// Longest body that is passed on, in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// All public routes.
pub fn router(
    gateway: &Gateway,
    services: Services,
    pages: Pages,
    limiter: Limiter,
    proxies: TrustedProxies,
) -> Router {
    let taken_away = middleware::from_fn_with_state(gateway.authenticator.clone(), revoke::check);
    let live = own().route_layer(taken_away.clone()).with_state(gateway.clone());
    let timelines = Router::new()
        .route("/v1/orders/{order}", put(proxy::pass_on))
        .route("/v1/orders/{order}/events", get(proxy::pass_on))
        .route("/v1/parked", get(proxy::pass_on))
        .route("/v1/silent", get(proxy::pass_on))
        .route("/v1/unmapped", get(proxy::pass_on))
        .route("/v1/dead-letters", get(proxy::pass_on))
        .route("/v1/dead-letters/replay", post(proxy::pass_on))
        .route("/v1/dead-letters/replays/{run}", get(proxy::pass_on).delete(proxy::pass_on))
        .route("/v1/dead-letters/{id}", get(proxy::pass_on))
        .route("/v1/dead-letters/{id}/replay", post(proxy::pass_on))
        .route("/v1/webhooks/{source}", get(proxy::pass_on_whole).post(proxy::pass_on_whole))
        .route(
            "/v1/webhooks/{source}/{secret}",
            get(proxy::pass_on_whole).post(proxy::pass_on_whole),
        )
        .route_layer(taken_away.clone())
        .with_state(services.aggregator.clone());
    let lookup = Router::new()
        .route("/v1/lookup", post(lookup::pass_on))
        .with_state((gateway.redis.clone(), services.aggregator));
    let people = people().route_layer(taken_away).with_state(services.notifier.clone());
    let senders = senders().with_state(services.notifier);
    Router::new()
        .merge(live)
        .merge(timelines)
        .merge(lookup)
        .merge(people)
        .merge(senders)
        .merge(page::router(pages))
        .route("/openapi.json", get(document::get))
        .layer(middleware::from_fn(limit::whole))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(limiter, limit::limit))
        // Outside the limit: a page may read that it is to come back later, and when.
        .layer(cors(gateway))
        .layer(middleware::from_fn_with_state(gateway.hosts.clone(), limit::named))
        .layer(Extension(proxies))
}

/// What the notifier answers to people with tokens, and to back ends.
fn people() -> Router<Upstream> {
    Router::new()
        .route("/v1/inbox", get(proxy::pass_on))
        .route("/v1/inbox/{id}/read", post(proxy::pass_on))
        .route("/v1/inbox/read-all", post(proxy::pass_on))
        .route("/v1/orders/{order}/feedback", post(proxy::pass_on))
        .route("/v1/orders/{order}/notifications", get(proxy::pass_on))
        .route("/v1/preferences", get(proxy::pass_on).put(proxy::pass_on))
        .route("/v1/devices", post(proxy::pass_on))
        .route("/v1/devices/{id}", delete(proxy::pass_on))
        .route("/v1/web-push/key", get(proxy::pass_on))
        .route("/v1/web-push/subscriptions", post(proxy::pass_on).delete(proxy::pass_on))
}

/// What carries its proof with it: a link in a letter (RFC 8058), a provider's signed receipt.
fn senders() -> Router<Upstream> {
    Router::new()
        .route("/v1/unsubscribe/{token}", get(proxy::pass_on_whole).post(proxy::pass_on_whole))
        .route("/v1/receipts/{provider}", post(proxy::pass_on_whole))
        .route("/v1/receipts/{provider}/{secret}", post(proxy::pass_on_whole))
}

/// What the gateway answers itself.
fn own() -> Router<Gateway> {
    Router::new()
        .route("/v1/live", get(websocket::open))
        .route("/v1/live/sse", get(sse::open))
        .route("/v1/live/tickets", post(ticket::issue))
        .route("/v1/orders/{order}/timeline", get(timeline::get))
        .route("/v1/live/viewers", get(viewer::list))
        .route("/v1/live/viewers/{connection}", delete(viewer::end))
        .route("/v1/tokens", post(token::mint))
        .route("/v1/tokens/revoke", post(revoke::revoke))
}

/// The widget lives on the shop's origin.
fn cors(gateway: &Gateway) -> CorsLayer {
    let origins = gateway.origins.clone();
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| origins.allows(origin)))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_NONE_MATCH,
            HeaderName::from_static("last-event-id"),
        ])
        .expose_headers([header::ETAG, header::RETRY_AFTER, HeaderName::from_static(REQUEST_ID)])
        .max_age(Duration::from_mins(10))
}
