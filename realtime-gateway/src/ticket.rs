//! `POST /v1/live/tickets`: a plain `EventSource` can send no header, and a token has no place in
//! a URL. A ticket stands for the token once, within 30 s, on any gateway.

use crate::gateway::Gateway;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use redis::{AsyncCommands, RedisError};
use serde::Serialize;
use service_kit::auth::bearer;
use service_kit::clock;
use service_kit::problem::Problem;
use utoipa::ToSchema;
use uuid::Uuid;

/// Life of a ticket, in seconds.
const TTL: i64 = 30;

/// A ticket.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ticket {
    /// For `?ticket=`, once.
    #[schema(example = "b0a1c2d3e4f5")]
    ticket: String,
    /// When it ends.
    #[schema(example = "2026-11-20T09:40:06Z")]
    expires_at: chrono::DateTime<chrono::Utc>,
}

fn key(ticket: &str) -> String {
    format!("ticket:{ticket}")
}

/// A ticket for one stream.
#[utoipa::path(
    post,
    path = "/v1/live/tickets",
    responses(
        (status = 201, description = "The ticket", body = Ticket),
        (status = 401, description = "No valid token"),
        (status = 503, description = "Redis does not answer"),
    ),
)]
pub async fn issue(
    State(gateway): State<Gateway>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let token = bearer(&headers).ok_or_else(|| Problem::unauthorized("token_missing"))?;
    gateway.authenticator.viewer(token, clock::now())?;
    // 122 random bits: a number that cannot be guessed within its 30 s.
    let ticket = Uuid::new_v4().simple().to_string();
    let key = key(&ticket);
    let kept: Result<(), RedisError> =
        async { gateway.redis.at(&key).await?.set_ex(&key, token, TTL.unsigned_abs()).await }.await;
    kept.map_err(|_| Problem::unavailable("No tickets at the moment."))?;
    let expires_at = clock::now() + chrono::TimeDelta::seconds(TTL);
    Ok((StatusCode::CREATED, Json(Ticket { ticket, expires_at })).into_response())
}

/// The token behind a ticket, which is used up by this.
///
/// # Errors
/// 401 for a ticket that is unknown, used or over; 503 when Redis does not answer.
pub async fn redeem(gateway: &Gateway, ticket: &str) -> Result<String, Problem> {
    let key = key(ticket);
    let token: Result<Option<String>, RedisError> =
        async { gateway.redis.at(&key).await?.get_del(&key).await }.await;
    let token = token.map_err(|_| Problem::unavailable("No tickets at the moment."))?;
    token.ok_or_else(|| Problem::unauthorized("ticket_unknown"))
}
