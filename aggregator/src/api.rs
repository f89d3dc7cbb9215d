//! REST: extract, call, respond.

mod reading;
mod timeline;
mod webhook;
mod order;
mod lookup;
mod operate;
mod silent;
mod dead_letter;

use crate::pipeline::Pipeline;
use crate::source::Catalog;
use crate::webhook::{Secrets, Vendors};
use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::routing::{get, post, put};
use contract::name::MAX_RECORD;
pub use reading::Reader;
use service_kit::auth::Auth;
use service_kit::kafka::{Outgoing, Producer};
use service_kit::postgres::{Failure, classify};
use service_kit::problem::Problem;
use sqlx::PgPool;
use std::sync::Arc;
use std::time::Duration;
use utoipa::OpenApi;

/// What the routes work on.
#[derive(Clone)]
pub struct Api {
    /// Keys.
    pub auth: Arc<Auth>,
    /// The database.
    pub pool: PgPool,
    /// Reads timelines.
    pub reader: Reader,
    /// What vendors write.
    pub catalog: Arc<Catalog>,
    /// Who may call back.
    pub vendors: Arc<Vendors>,
    /// What vendors sign with.
    pub webhook_secrets: Arc<Secrets>,
    /// The log.
    pub producer: Producer,
    /// For what is driven again without the log.
    pub pipeline: Pipeline,
}

impl FromRef<Api> for Arc<Auth> {
    fn from_ref(api: &Api) -> Self {
        api.auth.clone()
    }
}

/// A database that does not answer; or a value of the request's that it refuses (U+0000, say).
fn away(error: sqlx::Error) -> Problem {
    if classify(&error) == Failure::Value {
        return Problem::bad_request("A value cannot be looked for.");
    }
    tracing::error!(error = %error, "the database does not answer");
    drop(error);
    Problem::unavailable("The database does not answer.")
}

/// Kafka has a record within this, or its sender is told to come again: vendors wait a few seconds.
const TAKEN: Duration = Duration::from_secs(3);

/// Gives a record to the log.
///
/// # Errors
/// 503 when the log does not have it in time; then it may have it all the same, which who comes again
/// does not harm: events are known by their keys.
async fn hand_over(api: &Api, record: Outgoing) -> Result<(), Problem> {
    let sent = [record];
    let why = match tokio::time::timeout(TAKEN, api.producer.send(&sent)).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "Kafka does not answer".to_owned(),
    };
    tracing::warn!(error = why, topic = &*sent[0].topic, "a record was not taken");
    Err(Problem::unavailable("The log does not take it; come again."))
}

/// The routes of the aggregator.
pub fn router(api: Api) -> Router {
    Router::new()
        .route("/v1/orders/{order}", put(order::put))
        .route("/v1/orders/{order}/timeline", get(timeline::get))
        .route("/v1/orders/{order}/events", get(operate::events))
        .route("/v1/lookup", post(lookup::look_up))
        .route("/v1/webhooks/{source}", post(webhook::open).get(webhook::by_query))
        .route("/v1/webhooks/{source}/{secret}", post(webhook::secret).get(webhook::secret))
        .route("/v1/parked", get(operate::parked))
        .route("/v1/silent", get(silent::list))
        .route("/v1/unmapped", get(operate::unmapped))
        .route("/v1/dead-letters", get(dead_letter::list))
        .route("/v1/dead-letters/replay", post(dead_letter::replay_all))
        .route(
            "/v1/dead-letters/replays/{run}",
            get(dead_letter::progress).delete(dead_letter::stop),
        )
        .route("/v1/dead-letters/{id}", get(dead_letter::one))
        .route("/v1/dead-letters/{id}/replay", post(dead_letter::replay_one))
        .layer(DefaultBodyLimit::max(MAX_RECORD))
        .with_state(api)
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Milepost: aggregator", version = "1"),
    paths(
        order::put,
        timeline::get,
        operate::events,
        lookup::look_up,
        webhook::open,
        webhook::by_query,
        webhook::secret,
        operate::parked,
        operate::unmapped,
        silent::list,
        dead_letter::list,
        dead_letter::one,
        dead_letter::replay_one,
        dead_letter::replay_all,
        dead_letter::progress,
        dead_letter::stop
    )
)]
struct Document;

/// The routes as `OpenAPI` 3.1.
#[must_use]
pub fn openapi() -> String {
    Document::openapi().to_pretty_json().unwrap_or_default()
}
