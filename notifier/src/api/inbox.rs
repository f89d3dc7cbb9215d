//! The in-app feed of whoever asks.

use super::Api;
use crate::store::feed;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use contract::feed::FeedPage;
use serde::Deserialize;
use service_kit::auth::Principal;
use service_kit::clock;
use service_kit::problem::Problem;
use service_kit::token::{SCOPE_INBOX, Viewer};
use utoipa::IntoParams;
use uuid::Uuid;

/// Most items of a page.
const MOST: i64 = 100;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// 1 to 100; 20 when left out.
    #[param(example = 20)]
    limit: Option<i64>,
    /// `next` of the page before.
    #[param(value_type = Option<String>, example = "0198c0de-0000-7000-8000-000000000001")]
    cursor: Option<Uuid>,
}

/// Only a viewer with the scope `inbox` has a feed.
fn owner(principal: Principal) -> Result<Viewer, Problem> {
    let viewer = principal.viewer()?;
    if viewer.has(SCOPE_INBOX) { Ok(viewer) } else { Err(Problem::forbidden()) }
}

fn away(error: &sqlx::Error) -> Problem {
    tracing::error!(%error, "the feed cannot be reached");
    Problem::unavailable("The database does not answer.")
}

/// The feed, newest first. `ETag` is its version on the live channel.
#[utoipa::path(
    get,
    path = "/v1/inbox",
    operation_id = "inbox",
    params(Asked),
    responses(
        (status = 200, description = "A page", body = FeedPage),
        (status = 401, description = "No valid token"),
        (status = 403, description = "Without the scope `inbox`"),
    ),
)]
pub(super) async fn list(
    State(api): State<Api>,
    principal: Principal,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let viewer = owner(principal)?;
    let Query(asked) =
        asked.map_err(|_| Problem::bad_request("limit is a number, cursor the next of a page."))?;
    let limit = asked.limit.unwrap_or(20);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::bad_request("limit: 1 to 100"));
    }
    let page = feed::page(&api.pool, &viewer.sub, asked.cursor, limit).await;
    let (items, unread, version) = page.map_err(|error| away(&error))?;
    let full = i64::try_from(items.len()).unwrap_or(0) == limit;
    let next = items.last().filter(|_| full).map(|item| item.id.clone());
    let tag = [
        (header::ETAG, format!("\"{version}\"")),
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
    ];
    Ok((tag, Json(FeedPage { items, unread, next })).into_response())
}

/// Marks an item as read.
#[utoipa::path(
    post,
    path = "/v1/inbox/{id}/read",
    params(("id" = String, Path, description = "Id of the item", example = "0198c0de-0000-7000-8000-000000000001")),
    responses((status = 204, description = "Read"), (status = 404, description = "Not in this feed")),
)]
pub(super) async fn read(
    State(api): State<Api>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let viewer = owner(principal)?;
    let id: Uuid = id.parse().map_err(|_| Problem::not_found())?;
    if !feed::has(&api.pool, &viewer.sub, id).await.map_err(|error| away(&error))? {
        return Err(Problem::not_found());
    }
    mark(&api, &viewer, Some(id)).await
}

/// Marks all items as read.
#[utoipa::path(post, path = "/v1/inbox/read-all", responses((status = 204, description = "Read")))]
pub(super) async fn read_all(
    State(api): State<Api>,
    principal: Principal,
) -> Result<StatusCode, Problem> {
    let viewer = owner(principal)?;
    mark(&api, &viewer, None).await
}

async fn mark(api: &Api, viewer: &Viewer, item: Option<Uuid>) -> Result<StatusCode, Problem> {
    let marked = feed::mark_read(&api.pool, &viewer.sub, item, clock::now()).await;
    marked.map_err(|error| away(&error))?;
    api.changed.notify_waiters();
    Ok(StatusCode::NO_CONTENT)
}
