//! REST: extract, call, respond.

mod inbox;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::{get, post};
use service_kit::auth::Auth;
use sqlx::PgPool;
use std::sync::Arc;
use tokio::sync::Notify;
use utoipa::OpenApi;

/// What the routes work on.
#[derive(Clone)]
pub struct Api {
    /// Keys.
    pub auth: Arc<Auth>,
    /// The database.
    pub pool: PgPool,
    /// Wakes the publisher of feeds.
    pub changed: Arc<Notify>,
}

impl FromRef<Api> for Arc<Auth> {
    fn from_ref(api: &Api) -> Self {
        api.auth.clone()
    }
}

/// The routes of the notifier.
pub fn router(api: Api) -> Router {
    Router::new()
        .route("/v1/inbox", get(inbox::list))
        .route("/v1/inbox/{id}/read", post(inbox::read))
        .route("/v1/inbox/read-all", post(inbox::read_all))
        .with_state(api)
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Milepost: notifier", version = "1"),
    paths(inbox::list, inbox::read, inbox::read_all)
)]
struct Document;

/// The routes as `OpenAPI` 3.1.
#[must_use]
pub fn openapi() -> String {
    Document::openapi().to_pretty_json().unwrap_or_default()
}
