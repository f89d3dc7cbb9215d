//! REST: extract, call, respond.

mod timeline;
mod webhook;

use crate::webhook::Secrets;
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::routing::{get, post};
use contract::name::MAX_RECORD;
use service_kit::auth::Auth;
use service_kit::kafka::Producer;
use sqlx::PgPool;
use std::sync::Arc;
use utoipa::OpenApi;

/// What the routes work on.
#[derive(Clone)]
pub struct Api {
    /// Keys.
    pub auth: Arc<Auth>,
    /// The database.
    pub pool: PgPool,
    /// What vendors sign with.
    pub webhook_secrets: Arc<Secrets>,
    /// The log.
    pub producer: Producer,
}

impl FromRef<Api> for Arc<Auth> {
    fn from_ref(api: &Api) -> Self {
        api.auth.clone()
    }
}

/// The routes of the aggregator.
pub fn router(api: Api) -> Router {
    Router::new()
        .route("/v1/orders/{order}/timeline", get(timeline::get))
        .route("/v1/webhooks/{source}", post(webhook::open).get(webhook::open))
        .route("/v1/webhooks/{source}/{secret}", post(webhook::secret).get(webhook::secret))
        .layer(DefaultBodyLimit::max(MAX_RECORD))
        .with_state(api)
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Milepost: aggregator", version = "1"),
    paths(timeline::get, webhook::open, webhook::secret)
)]
struct Document;

/// The routes as `OpenAPI` 3.1.
#[must_use]
pub fn openapi() -> String {
    Document::openapi().to_pretty_json().unwrap_or_default()
}
