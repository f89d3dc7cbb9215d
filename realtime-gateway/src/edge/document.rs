//! `GET /openapi.json`: all routes of all services, as one document.

use super::{revoke, token, viewer};
use crate::ticket;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(title = "Milepost: realtime gateway", version = "1"),
    paths(token::mint, revoke::revoke, ticket::issue, viewer::list, viewer::end)
)]
struct Document;

/// The routes that the gateway answers itself, as `OpenAPI` 3.1.
#[must_use]
pub fn own() -> String {
    Document::openapi().to_pretty_json().unwrap_or_default()
}

/// The document of all services: generated from them, checked in, and compared by `cargo verify`.
const WHOLE: &str = include_str!("../../../docs/openapi.json");

pub(super) async fn get() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], WHOLE).into_response()
}
