//! `POST /v1/tokens/revoke`: a right ends before its tokens do.

use crate::authenticator::{Authenticator, Refused};
use crate::denied::{self, Right};
use crate::gateway::Gateway;
use crate::metric;
use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use service_kit::api_key::Role;
use service_kit::auth::{Principal, bearer};
use service_kit::clock;
use service_kit::problem::Problem;
use utoipa::ToSchema;

/// Longest name that is taken, in bytes.
const LONGEST: usize = 128;

/// What is to end: one of the three.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ending {
    /// The customer: whatever the tokens made for them until now open.
    #[schema(example = "C-77")]
    subject: Option<String>,
    /// The order: for every token made until now.
    #[schema(example = json!(null))]
    order: Option<String>,
    /// The token, by its `jti`.
    #[schema(example = json!(null))]
    token_id: Option<String>,
}

impl Ending {
    fn right(self) -> Result<Right, Problem> {
        let right = match (self.subject, self.order, self.token_id) {
            (Some(id), None, None) => Right::Subject(id),
            (None, Some(id), None) => Right::Order(id),
            (None, None, Some(id)) => Right::Token(id),
            _ => return Err(Problem::bad_request("One of subject, order, token_id is needed.")),
        };
        match &right {
            Right::Subject(id) | Right::Order(id) | Right::Token(id)
                if id.is_empty() || id.len() > LONGEST =>
            {
                Err(Problem::bad_request("1 to 128 bytes."))
            }
            _ => Ok(right),
        }
    }
}

/// Ends a right. Open connections lose it within 2 s, on every gateway; a token that is made later
/// has it anew.
#[utoipa::path(
    post,
    path = "/v1/tokens/revoke",
    request_body = Ending,
    responses(
        (status = 204, description = "It is over"),
        (status = 400, description = "Not one of the three"),
        (status = 401, description = "No valid key"),
        (status = 403, description = "A key of another role"),
        (status = 503, description = "The other gateways do not know yet; try again"),
    ),
)]
pub(super) async fn revoke(
    State(gateway): State<Gateway>,
    principal: Principal,
    body: Result<Json<Ending>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    principal.key(Role::Api)?;
    let Json(ending) = body.map_err(|error| Problem::bad_request(error.body_text()))?;
    write_down(&gateway, ending.right()?).await
}

/// Has all gateways know that a right is over.
pub(super) async fn write_down(gateway: &Gateway, right: Right) -> Result<StatusCode, Problem> {
    denied::revoke(&gateway.redis, &gateway.authenticator.denied, right).await.map_err(
        |error| {
            tracing::warn!(%error, "a revocation is not written");
            Problem::unavailable("The other gateways do not know yet.")
        },
    )?;
    Ok(StatusCode::NO_CONTENT)
}

/// Refuses a token that was taken away, before a service is asked: services know nothing of it.
/// What is no viewer's token of ours passes, and the service refuses it or knows it as a key: only
/// who holds a token learns what became of it.
pub(super) async fn check(
    State(authenticator): State<Authenticator>,
    parameters: RawPathParams,
    request: Request,
    next: Next,
) -> Response {
    let viewer = bearer(request.headers()).map(|token| authenticator.viewer(token, clock::now()));
    let order = parameters.iter().find(|(name, _)| *name == "order").map(|(_, order)| order);
    let refused = match viewer {
        Some(Ok(viewer)) => order
            .is_some_and(|order| authenticator.denied.order(&viewer, order))
            .then_some(Refused::Revoked),
        Some(Err(refused @ (Refused::Revoked | Refused::Unknown))) => Some(refused),
        Some(Err(Refused::Token(_))) | None => None,
    };
    match refused {
        Some(refused) => {
            metric::refused(refused.label());
            Problem::from(refused).into_response()
        }
        None => next.run(request).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_the_three_is_needed() {
        let right = |text: &str| serde_json::from_str::<Ending>(text).unwrap().right();
        assert_eq!(right(r#"{"order":"A"}"#).unwrap(), Right::Order("A".to_owned()));
        for bad in ["{}", r#"{"order":"A","subject":"C"}"#, r#"{"token_id":""}"#] {
            assert_eq!(right(bad).unwrap_err().code(), "bad_request", "{bad}");
        }
    }
}
