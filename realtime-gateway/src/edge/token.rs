//! `POST /v1/tokens`: the shop's back end gets a token for a viewer.

use crate::gateway::Gateway;
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use contract::id::OrderId;
use serde::{Deserialize, Serialize};
use service_kit::api_key::Role;
use service_kit::auth::Principal;
use service_kit::clock;
use service_kit::problem::Problem;
use service_kit::token::{SCOPE_INBOX, SCOPE_TIMELINE};
use utoipa::ToSchema;

/// Longest life of a token, in seconds.
const MAX_TTL: i64 = 24 * 3600;
/// Most orders in a token.
const MAX_ORDERS: usize = 50;

/// What the back end asks for.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Wanted {
    /// The customer, or `guest:<random>`.
    #[schema(example = "C-77")]
    subject: String,
    /// Orders that it opens; nobody has to have heard of them.
    #[serde(default)]
    #[schema(example = json!(["TM-1042"]))]
    orders: Vec<String>,
    /// `timeline`, `inbox`.
    #[schema(example = json!(["timeline", "inbox"]))]
    scope: Vec<String>,
    /// 1 to 86400; 900 when left out.
    #[serde(default = "quarter")]
    #[schema(example = 3600)]
    ttl_seconds: i64,
}

const fn quarter() -> i64 {
    900
}

/// What it gets.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Minted {
    /// JWT.
    #[schema(example = "eyJhbGciOiJFZERTQSJ9…")]
    token: String,
    /// When it ends.
    #[schema(example = "2026-11-20T09:40:06Z")]
    expires_at: chrono::DateTime<chrono::Utc>,
}

/// A token for a viewer.
#[utoipa::path(
    post,
    path = "/v1/tokens",
    request_body = Wanted,
    responses(
        (status = 201, description = "The token", body = Minted),
        (status = 400, description = "Something of it is wrong"),
        (status = 401, description = "No valid key"),
        (status = 403, description = "A key of another role"),
    ),
)]
pub(super) async fn mint(
    State(gateway): State<Gateway>,
    principal: Principal,
    body: Result<Json<Wanted>, JsonRejection>,
) -> Result<Response, Problem> {
    principal.key(Role::Api)?;
    let Json(wanted) = body.map_err(|error| Problem::bad_request(error.body_text()))?;
    wanted.check()?;
    let expires_at = clock::now() + TimeDelta::seconds(wanted.ttl_seconds);
    let minted = gateway.auth.tokens.mint(&wanted.subject, wanted.orders, wanted.scope, expires_at);
    let token = minted.map_err(|_| Problem::internal())?;
    Ok((StatusCode::CREATED, Json(Minted { token, expires_at })).into_response())
}

impl Wanted {
    fn check(&self) -> Result<(), Problem> {
        let subject = self.subject.strip_prefix("guest:").unwrap_or(&self.subject);
        if subject.parse::<OrderId>().is_err() {
            return Err(Problem::bad_request("subject: 1 to 64 of A-Z a-z 0-9 . _ -"));
        }
        if self.orders.len() > MAX_ORDERS
            || self.orders.iter().any(|o| o.parse::<OrderId>().is_err())
        {
            return Err(Problem::bad_request(
                "orders: at most 50, each 1 to 64 of A-Z a-z 0-9 . _ -",
            ));
        }
        if self.scope.is_empty()
            || self.scope.iter().any(|s| s != SCOPE_TIMELINE && s != SCOPE_INBOX)
        {
            return Err(Problem::bad_request("scope: timeline, inbox"));
        }
        if !(1..=MAX_TTL).contains(&self.ttl_seconds) {
            return Err(Problem::bad_request("ttl_seconds: 1 to 86400"));
        }
        Ok(())
    }
}
