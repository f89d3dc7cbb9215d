//! `GET /v1/orders/{order}/timeline`: by the ladder that gives viewers their first state, so that
//! whoever asks again and again asks no database.

use crate::gateway::Gateway;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use contract::id::OrderId;
use contract::name::Channel;
use service_kit::auth::Principal;
use service_kit::http::versioned;
use service_kit::problem::Problem;

/// What is unknown and what is not yours give the same answer, as the service does.
pub(super) async fn get(
    State(gateway): State<Gateway>,
    principal: Principal,
    Path(order): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let order: OrderId = order.parse().map_err(|_| Problem::not_found())?;
    let channel = Channel::Order(order);
    if !principal.may_read(&channel) {
        return Err(Problem::not_found());
    }
    let unanswered = |_| Problem::unavailable("The timeline cannot be had now.").retry_after(1);
    let state = gateway.ladder.newest(channel).await.map_err(unanswered)?;
    let state = state.ok_or_else(Problem::not_found)?;
    Ok(versioned(state.version(), state.data().get().to_owned(), &headers))
}
