//! `GET /v1/silent`: orders that stand still too long, with whose turn it is.

use super::operate::{Page, bad_cursor};
use super::{Api, away};
use crate::silence::Owner;
use crate::store::silent::{self, SilentLine};
use axum::Json;
use axum::extract::{Query, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use service_kit::api_key::Role;
use service_kit::auth::Principal;
use service_kit::problem::Problem;
use utoipa::{IntoParams, ToSchema};

/// Whose.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Whose {
    /// `shop`, `workshop` or `carrier`; all when left out.
    #[param(example = "workshop")]
    owner: Option<String>,
}

/// A page of orders that stand still.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Silent {
    /// The longest first.
    items: Vec<SilentLine>,
    /// Cursor of the next page; none on the last.
    #[schema(example = "TM-1042")]
    next: Option<String>,
}

/// Orders that were not heard of for longer than their stage should take.
#[utoipa::path(
    get,
    path = "/v1/silent",
    operation_id = "silent_orders",
    params(Whose, Page),
    responses(
        (status = 200, description = "A page", body = Silent),
        (status = 400, description = "The cursor is none of ours, or nobody is called so"),
        (status = 403, description = "Not an operator"),
    ),
)]
pub(super) async fn list(
    State(api): State<Api>,
    principal: Principal,
    Query(whose): Query<Whose>,
    Query(page): Query<Page>,
) -> Result<Json<Silent>, Problem> {
    principal.key(Role::Operator)?;
    let owner = whose.owner.as_deref().map(owner).transpose()?;
    let after = place(page.cursor())?;
    let items = silent::list(&api.pool, owner.map(Owner::name), after, page.limit());
    let items = items.await.map_err(away)?;
    let next =
        page.next(&items, |line| format!("{}/{}", line.since.timestamp_micros(), line.order));
    Ok(Json(Silent { items, next }))
}

/// Whose turn is meant.
fn owner(name: &str) -> Result<Owner, Problem> {
    let known = Owner::ALL.into_iter().find(|owner| owner.name() == name);
    known.ok_or_else(|| Problem::bad_request("owner: `shop`, `workshop` or `carrier`"))
}

/// The place that a cursor names: time in microseconds, and order.
fn place(cursor: &str) -> Result<Option<(DateTime<Utc>, String)>, Problem> {
    if cursor.is_empty() {
        return Ok(None);
    }
    let read = cursor.split_once('/').and_then(|(micros, order)| {
        Some((DateTime::from_timestamp_micros(micros.parse().ok()?)?, order.to_owned()))
    });
    read.map(Some).ok_or_else(bad_cursor)
}
