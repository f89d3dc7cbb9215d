//! What operators read: an order's events, what waits, what no table knows.

use super::{Api, away};
use crate::store::operate::{self, EventLine, ParkedLine, UnmappedLine};
use axum::Json;
use axum::extract::{Path, Query, State};
use contract::id::OrderId;
use serde::{Deserialize, Serialize};
use service_kit::api_key::Role;
use service_kit::auth::Principal;
use service_kit::problem::Problem;
use utoipa::{IntoParams, ToSchema};

/// Most lines of a page.
const MOST: i64 = 200;

/// Where a page begins.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// `next` of the page before, as it was; it means something else on each route.
    #[param(example = "what-next-said")]
    cursor: Option<String>,
    /// 1 to 200; 50 when left out.
    #[param(example = 50)]
    limit: Option<i64>,
}

/// A cursor that no page gave.
pub(super) fn bad_cursor() -> Problem {
    Problem::bad_request("cursor: take it from the page before")
}

impl Page {
    pub(super) fn limit(&self) -> i64 {
        self.limit.unwrap_or(50).clamp(1, MOST)
    }

    /// Where the next page begins: after the last of a full one.
    pub(super) fn next<T>(&self, items: &[T], cursor: impl FnOnce(&T) -> String) -> Option<String> {
        let full = i64::try_from(items.len()).is_ok_and(|count| count == self.limit());
        items.last().filter(|_| full).map(cursor)
    }

    pub(super) fn cursor(&self) -> &str {
        self.cursor.as_deref().unwrap_or_default()
    }
}

/// An order's events.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Events {
    /// The order.
    #[schema(example = "TM-1042")]
    order: String,
    /// Every event in the order of receipt, with its fate and the place of its record in the log.
    events: Vec<EventLine>,
}

/// Every event of an order with its fate.
#[utoipa::path(
    get,
    path = "/v1/orders/{order}/events",
    params(("order" = String, Path, description = "Order number", example = "TM-1042")),
    responses(
        (status = 200, description = "The events", body = Events),
        (status = 403, description = "Not an operator"),
        (status = 404, description = "Nothing is known of it"),
    ),
)]
pub(super) async fn events(
    State(api): State<Api>,
    principal: Principal,
    Path(order): Path<String>,
) -> Result<Json<Events>, Problem> {
    principal.key(Role::Operator)?;
    let order: OrderId = order.parse().map_err(|_| Problem::not_found())?;
    let events = operate::events(&api.pool, order.as_str()).await.map_err(away)?;
    if events.is_empty() {
        return Err(Problem::not_found());
    }
    Ok(Json(Events { order: order.to_string(), events }))
}

/// Events that wait.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Parked {
    /// The page.
    items: Vec<ParkedLine>,
    /// Cursor of the next page; none on the last.
    #[schema(example = "logistics:scan-91")]
    next: Option<String>,
}

/// Events that wait for their order, or for a name to be told.
#[utoipa::path(
    get,
    path = "/v1/parked",
    params(Page),
    responses(
        (status = 200, description = "A page", body = Parked),
        (status = 403, description = "Not an operator"),
    ),
)]
pub(super) async fn parked(
    State(api): State<Api>,
    principal: Principal,
    Query(page): Query<Page>,
) -> Result<Json<Parked>, Problem> {
    principal.key(Role::Operator)?;
    let items = operate::parked(&api.pool, page.cursor(), page.limit()).await.map_err(away)?;
    let next = page.next(&items, |line| line.key.clone());
    Ok(Json(Parked { items, next }))
}

/// Codes that no table knows.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Unmapped {
    /// The most frequent first, at most 200.
    items: Vec<UnmappedLine>,
}

/// Vendors' codes that no table knows: each is one line in `options.toml` away from a milestone.
#[utoipa::path(
    get,
    path = "/v1/unmapped",
    responses(
        (status = 200, description = "The codes", body = Unmapped),
        (status = 403, description = "Not an operator"),
    ),
)]
pub(super) async fn unmapped(
    State(api): State<Api>,
    principal: Principal,
) -> Result<Json<Unmapped>, Problem> {
    principal.key(Role::Operator)?;
    Ok(Json(Unmapped { items: operate::unmapped(&api.pool, MOST).await.map_err(away)? }))
}
