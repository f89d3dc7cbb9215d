//! `POST /v1/lookup`: an order number and the address or number that it was placed with give a
//! token for that order alone. Nothing in answer or time tells whether an order exists.

use super::{Api, away};
use crate::store::operate;
use aws_lc_rs::digest;
use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use chrono::{DateTime, TimeDelta, Utc};
use contract::id::OrderId;
use serde::{Deserialize, Serialize};
use service_kit::clock;
use service_kit::problem::Problem;
use service_kit::token::SCOPE_TIMELINE;
use std::time::Duration;
use subtle::{Choice, ConstantTimeEq};
use tokio::time::Instant;
use utoipa::ToSchema;
use uuid::Uuid;

/// Every answer takes this long: far more than the work, so that the work does not show.
const PACE: Duration = Duration::from_millis(150);
/// Life of the token.
const TTL: TimeDelta = TimeDelta::hours(1);
/// Longest contact, in bytes (RFC 5321 allows 254 for an address).
const MAX_CONTACT: usize = 254;

/// What is asked.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct Asked {
    /// Order number.
    #[schema(example = "TM-1042")]
    order: String,
    /// E-mail address or phone number, in any spelling.
    #[schema(example = "+84 901 234 567")]
    contact: String,
}

/// What is given.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Given {
    /// JWT: scope `timeline`, this order alone.
    #[schema(example = "eyJhbGciOiJFZERTQSJ9…")]
    token: String,
    /// When it ends.
    #[schema(example = "2026-11-20T09:40:06Z")]
    expires_at: DateTime<Utc>,
}

/// Looks an order up.
#[utoipa::path(
    post,
    path = "/v1/lookup",
    request_body = Asked,
    responses(
        (status = 200, description = "A token for this order", body = Given),
        (status = 400, description = "The body is not what is wanted"),
        (status = 404, description = "Not this order, or not this contact"),
        (status = 429, description = "More than 5 a minute from this address or for this order"),
        (status = 503, description = "The database, or Redis, does not answer"),
    ),
    security(()),
)]
pub(super) async fn look_up(
    State(api): State<Api>,
    body: Result<Json<Asked>, JsonRejection>,
) -> Result<Json<Given>, Problem> {
    let end = Instant::now() + PACE;
    let Json(asked) = body.map_err(|error| Problem::bad_request(error.body_text()))?;
    let answer = decide(&api, &asked).await;
    tokio::time::sleep_until(end).await;
    answer
}

/// The same work whether or not the order exists: read, compare both, sign.
async fn decide(api: &Api, asked: &Asked) -> Result<Json<Given>, Problem> {
    let order: Result<OrderId, _> = asked.order.trim().trim_start_matches('#').parse();
    let number = order.as_ref().map_or("nobody", OrderId::as_str);
    let contacts = operate::contacts(&api.pool, number).await.map_err(away)?;
    let (email, phone) = contacts.unwrap_or_default();
    let theirs = email.map(|email| address(&email)).unwrap_or_default();
    let same = is_same(&address(&asked.contact), &theirs)
        | is_same(&digits(&asked.contact), &phone.map(|p| digits(&p)).unwrap_or_default());
    let expires_at = clock::now() + TTL;
    let guest = format!("guest:{}", Uuid::new_v4().simple());
    let scope = vec![SCOPE_TIMELINE.to_owned()];
    let token = api.auth.tokens.mint(&guest, vec![number.to_owned()], scope, expires_at);
    let token = token.map_err(|_| Problem::internal())?;
    let short = asked.contact.len() <= MAX_CONTACT;
    if order.is_ok() && bool::from(same) && short {
        Ok(Json(Given { token, expires_at }))
    } else {
        Err(Problem::not_found())
    }
}

/// Compares in constant time; nothing is never the same as nothing.
fn is_same(given: &str, known: &str) -> Choice {
    let hash = |text: &str| digest::digest(&digest::SHA256, text.as_bytes());
    let same = hash(given).as_ref().ct_eq(hash(known).as_ref());
    same & Choice::from(u8::from(!known.is_empty()))
}

/// An address as most servers compare it.
fn address(text: &str) -> String {
    text.trim().to_lowercase()
}

/// A number without its spelling: `+84 901…`, `0084901…`, `0901…` and `901…` are one.
fn digits(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 8 {
        return String::new();
    }
    let bare = digits.trim_start_matches('0');
    let national = bare.strip_prefix("84").filter(|rest| rest.len() >= 9);
    national.unwrap_or(bare).trim_start_matches('0').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_any_spelling_is_the_same() {
        for spelling in ["0901234567", "+84 901 234 567", "0084-901-234-567", "(84) 0901.234.567"] {
            assert_eq!(digits(spelling), "901234567", "{spelling}");
        }
        assert_eq!(digits("12"), "");
        assert_eq!(address(" Bich@Example.com "), "bich@example.com");
    }

    #[test]
    fn nothing_is_never_the_same_as_nothing() {
        assert!(!bool::from(is_same("", "")));
        assert!(bool::from(is_same("a", "a")) && !bool::from(is_same("a", "b")));
    }
}
