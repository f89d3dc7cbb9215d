//! `GET /v1/orders/{order}/timeline`.

use super::Api;
use super::reading::Away;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use contract::id::OrderId;
use contract::name::Channel;
use contract::timeline::Timeline;
use service_kit::auth::Principal;
use service_kit::http::versioned;
use service_kit::problem::Problem;

/// The timeline of an order. What is unknown and what is not yours give the same answer.
#[utoipa::path(
    get,
    path = "/v1/orders/{order}/timeline",
    params(("order" = String, Path, description = "Order number", example = "TM-1042")),
    responses(
        (status = 200, description = "The timeline; `ETag` is its version", body = Timeline),
        (status = 304, description = "`If-None-Match` names the newest version"),
        (status = 401, description = "No valid token or key"),
        (status = 404, description = "Unknown, or not yours"),
    ),
)]
pub(super) async fn get(
    State(api): State<Api>,
    principal: Principal,
    Path(order): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let order: OrderId = order.parse().map_err(|_| Problem::not_found())?;
    if !principal.may_read(&Channel::Order(order.clone())) {
        return Err(Problem::not_found());
    }
    let read = api.reader.read(order).await;
    let read = read.map_err(|Away| Problem::unavailable("The database does not answer."))?;
    let (version, document) = read.ok_or_else(Problem::not_found)?;
    Ok(versioned(u64::try_from(version).unwrap_or(0), document, &headers))
}
