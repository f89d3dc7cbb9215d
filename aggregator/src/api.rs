//! REST: extract, call, respond.

mod timeline;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;
use service_kit::auth::Auth;
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
}

impl FromRef<Api> for Arc<Auth> {
    fn from_ref(api: &Api) -> Self {
        api.auth.clone()
    }
}

/// The routes of the aggregator.
pub fn router(api: Api) -> Router {
    Router::new().route("/v1/orders/{order}/timeline", get(timeline::get)).with_state(api)
}

#[derive(OpenApi)]
#[openapi(info(title = "Milepost: aggregator", version = "1"), paths(timeline::get))]
struct Document;

/// The routes as `OpenAPI` 3.1.
#[must_use]
pub fn openapi() -> String {
    Document::openapi().to_pretty_json().unwrap_or_default()
}
