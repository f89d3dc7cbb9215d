//! Refused records: list, explain, drive again.

use super::operate::{Page, bad_cursor};
use super::{Api, away};
use crate::replay::{send_out, settle};
use crate::store::dead_letter::{self, Filter};
use crate::store::operate::{self, LetterLine};
use crate::store::replay::{self, Replay};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use service_kit::api_key::Role;
use service_kit::auth::Principal;
use service_kit::problem::Problem;
use std::collections::HashMap;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which refused records are meant; nothing means all.
#[derive(Debug, Default, Deserialize, IntoParams, ToSchema)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Of this source.
    #[schema(example = "ghn")]
    #[param(example = "ghn")]
    source: Option<String>,
    /// With this label.
    #[schema(example = "bad_time")]
    #[param(example = "bad_time")]
    reason: Option<String>,
}

/// Which refused records are driven again; all of them when nothing is said. What is not known here is
/// refused: a mistyped name would drive all.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Again {
    /// Of this source.
    #[schema(example = "ghn")]
    source: Option<String>,
    /// With this label.
    #[schema(example = "bad_time")]
    reason: Option<String>,
}

impl Again {
    /// What is said here, else what is said there.
    fn or(self, other: Self) -> Wanted {
        Wanted { source: self.source.or(other.source), reason: self.reason.or(other.reason) }
    }
}

impl Wanted {
    fn filter(&self) -> Filter<'_> {
        Filter { source: self.source.as_deref(), reason: self.reason.as_deref() }
    }
}

/// A page of refused records.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Letters {
    /// The newest first.
    items: Vec<LetterLine>,
    /// Cursor of the next page; none on the last.
    #[schema(example = "41")]
    next: Option<String>,
}

/// Refused records, the newest first.
#[utoipa::path(
    get,
    path = "/v1/dead-letters",
    operation_id = "dead_letters",
    params(Wanted, Page),
    responses(
        (status = 200, description = "A page", body = Letters),
        (status = 400, description = "The cursor is none of ours"),
        (status = 403, description = "Not an operator"),
    ),
)]
pub(super) async fn list(
    State(api): State<Api>,
    principal: Principal,
    Query(wanted): Query<Wanted>,
    Query(page): Query<Page>,
) -> Result<Json<Letters>, Problem> {
    principal.key(Role::Operator)?;
    let before = match page.cursor() {
        "" => i64::MAX,
        cursor => cursor.parse().map_err(|_| bad_cursor())?,
    };
    let items = operate::dead_letters(&api.pool, wanted.filter(), before, page.limit());
    let items = items.await.map_err(away)?;
    let next = page.next(&items, |line| line.id.to_string());
    Ok(Json(Letters { items, next }))
}

/// A refused record with everything that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Letter {
    #[schema(example = 41)]
    id: i64,
    #[schema(example = "ghn")]
    source: String,
    #[schema(example = "bad_time")]
    reason: String,
    #[schema(example = "\"yesterday\" is no time")]
    detail: String,
    #[schema(example = "source.ghn")]
    topic: String,
    #[schema(example = 3)]
    partition: i32,
    #[schema(example = 1187)]
    offset: i64,
    #[schema(example = "TM-1042")]
    order: Option<String>,
    #[schema(example = "2026-11-20T09:40:06Z")]
    received_at: chrono::DateTime<chrono::Utc>,
    #[schema(example = "2026-11-20T09:40:06Z")]
    replayed_at: Option<chrono::DateTime<chrono::Utc>>,
    /// Headers of the record.
    headers: HashMap<String, String>,
    /// The value as text, where it is one.
    #[schema(example = "{\"OrderCode\":\"GHN8K2\"}")]
    value: Option<String>,
    /// The value in base64, where it is no text.
    #[schema(example = "eyJPcmRlckNvZGUiOg==")]
    value_base64: Option<String>,
}

/// One refused record, with its value untouched.
#[utoipa::path(
    get,
    path = "/v1/dead-letters/{id}",
    params(("id" = i64, Path, description = "Number of the record", example = 41)),
    responses(
        (status = 200, description = "The record", body = Letter),
        (status = 403, description = "Not an operator"),
        (status = 404, description = "No such record"),
    ),
)]
pub(super) async fn one(
    State(api): State<Api>,
    principal: Principal,
    Path(id): Path<i64>,
) -> Result<Json<Letter>, Problem> {
    principal.key(Role::Operator)?;
    let found = dead_letter::one(&api.pool, id).await.map_err(away)?;
    let (letter, replayed_at) = found.ok_or_else(Problem::not_found)?;
    let text = String::from_utf8(letter.value);
    let value_base64 = text.as_ref().err().map(|bytes| STANDARD.encode(bytes.as_bytes()));
    Ok(Json(Letter {
        id,
        source: letter.source,
        reason: letter.reason,
        detail: letter.detail,
        topic: letter.topic,
        partition: letter.partition,
        offset: letter.position,
        order: letter.order_id,
        received_at: letter.received_at,
        replayed_at,
        headers: letter.headers,
        value: text.ok(),
        value_base64,
    }))
}

/// Drives one refused record again, as it was.
#[utoipa::path(
    post,
    path = "/v1/dead-letters/{id}/replay",
    params(("id" = i64, Path, description = "Number of the record", example = 41)),
    responses(
        (status = 202, description = "The log has it again"),
        (status = 403, description = "Not an operator"),
        (status = 404, description = "No such record"),
        (status = 422, description = "It cannot be driven: too large for the log, its topic gone, or of an older version"),
        (status = 503, description = "The log is away"),
    ),
)]
pub(super) async fn replay_one(
    State(api): State<Api>,
    principal: Principal,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    principal.key(Role::Operator)?;
    let found = dead_letter::one(&api.pool, id).await.map_err(away)?;
    let (letter, _) = found.ok_or_else(Problem::not_found)?;
    let sent = send_out(&api.producer, vec![(id, letter)]).await.map_err(|error| {
        tracing::warn!(%error, "a refused record was not driven again");
        Problem::unavailable("The log does not take it; try again.")
    })?;
    let mut transaction = api.pool.begin().await.map_err(away)?;
    let driven = settle(&mut transaction, &api.pipeline, sent).await.map_err(away)?;
    if driven == 0 {
        let detail = "It cannot be driven: it is too large for the log, its topic is gone, or it is of an older version.";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "never_taken", detail));
    }
    transaction.commit().await.map_err(away)?;
    Ok(StatusCode::ACCEPTED)
}

/// Drives all refused records again that fit; they go in portions, in the background.
#[utoipa::path(
    post,
    path = "/v1/dead-letters/replay",
    params(Wanted),
    request_body = Option<Again>,
    responses(
        (status = 202, description = "Begun; `Location` tells how far it is", body = Replay),
        (status = 400, description = "The body is not what is wanted"),
        (status = 403, description = "Not an operator"),
    ),
)]
pub(super) async fn replay_all(
    State(api): State<Api>,
    principal: Principal,
    Query(asked): Query<Again>,
    body: Bytes,
) -> Result<Response, Problem> {
    principal.key(Role::Operator)?;
    let again = if body.is_empty() { Ok(Again::default()) } else { serde_json::from_slice(&body) };
    let again = again.map_err(|error| Problem::bad_request(error.to_string()))?;
    let wanted = again.or(asked);
    let id = Uuid::now_v7();
    replay::begin(&api.pool, id, wanted.filter()).await.map_err(away)?;
    let run = replay::read(&api.pool, id).await.map_err(away)?.ok_or_else(Problem::internal)?;
    let location = [("location", format!("/v1/dead-letters/replays/{id}"))];
    Ok((StatusCode::ACCEPTED, location, Json(run)).into_response())
}

/// How far a run is.
#[utoipa::path(
    get,
    path = "/v1/dead-letters/replays/{run}",
    params(("run" = String, Path, description = "Name of the run", example = "0198c0de-0000-7000-8000-000000000001")),
    responses(
        (status = 200, description = "The run", body = Replay),
        (status = 403, description = "Not an operator"),
        (status = 404, description = "No such run"),
    ),
)]
pub(super) async fn progress(
    State(api): State<Api>,
    principal: Principal,
    Path(run): Path<Uuid>,
) -> Result<Json<Replay>, Problem> {
    principal.key(Role::Operator)?;
    let run = replay::read(&api.pool, run).await.map_err(away)?;
    run.map(Json).ok_or_else(Problem::not_found)
}

/// Stops a run after the portion in hand; what was driven again stays so.
#[utoipa::path(
    delete,
    path = "/v1/dead-letters/replays/{run}",
    params(("run" = String, Path, description = "Name of the run", example = "0198c0de-0000-7000-8000-000000000001")),
    responses(
        (status = 204, description = "Stopped"),
        (status = 403, description = "Not an operator"),
        (status = 404, description = "No such run is running"),
    ),
)]
pub(super) async fn stop(
    State(api): State<Api>,
    principal: Principal,
    Path(run): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    principal.key(Role::Operator)?;
    let stopped = replay::stop(&api.pool, run).await.map_err(away)?;
    if stopped { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found()) }
}
