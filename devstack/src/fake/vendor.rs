//! Carriers and makers that are asked: what they know is put there by a test, and they answer as
//! their real ones do, to those alone who have the token.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What the vendors know, and how often they were asked.
#[derive(Clone, Default)]
pub struct Vendors {
    tokens: Arc<BTreeMap<String, String>>,
    known: Arc<Mutex<BTreeMap<(String, String), Knowledge>>>,
}

#[derive(Default)]
struct Knowledge {
    answer: Value,
    asked: u32,
}

type Answer = (StatusCode, Json<Value>);

impl Vendors {
    /// Vendors with the tokens that they gave out, by `<source>:ask`.
    #[must_use]
    pub fn new(tokens: BTreeMap<String, String>) -> Self {
        Self { tokens: Arc::new(tokens), known: Arc::default() }
    }

    fn let_in(&self, source: &str, token: Option<&str>) -> bool {
        token.is_some() && self.tokens.get(&format!("{source}:ask")).map(String::as_str) == token
    }

    /// What a vendor knows of a number.
    fn ask(&self, source: &str, subject: &str) -> Option<Value> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let told = known.get_mut(&(source.to_owned(), subject.to_owned()))?;
        told.asked += 1;
        Some(told.answer.clone())
    }
}

/// The vendors, and `/vendors/{source}/{number}`: `PUT` what one knows, `GET` how often it was
/// asked.
pub fn router(vendors: Vendors) -> Router {
    Router::new()
        .route("/vendors/{source}/{subject}", put(learn).get(asked))
        .route("/ghn/shiip/public-api/v2/shipping-order/detail", post(ghn))
        .route("/printful/orders/{order}", get(printful))
        .route("/heron/v1/parcels/{number}", get(heron))
        .with_state(vendors)
}

async fn learn(
    State(vendors): State<Vendors>,
    Path(place): Path<(String, String)>,
    Json(answer): Json<Value>,
) -> StatusCode {
    let mut known = vendors.known.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(place).or_default().answer = answer;
    StatusCode::NO_CONTENT
}

async fn asked(State(vendors): State<Vendors>, Path(place): Path<(String, String)>) -> Json<Value> {
    let known = vendors.known.lock().unwrap_or_else(PoisonError::into_inner);
    Json(json!({"asked": known.get(&place).map_or(0, |told| told.asked)}))
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Giao Hàng Nhanh: a JSON body with `order_code`, the token in `Token`; a code that it does not
/// know is a bad request.
async fn ghn(State(vendors): State<Vendors>, headers: HeaderMap, body: Bytes) -> Answer {
    let said = |status: StatusCode, message: &str, data: Value| {
        (status, Json(json!({"code": status.as_u16(), "message": message, "data": data})))
    };
    if !vendors.let_in("ghn", header(&headers, "token")) {
        return said(StatusCode::UNAUTHORIZED, "Token is not valid!", Value::Null);
    }
    let is_json =
        header(&headers, "content-type").is_some_and(|k| k.starts_with("application/json"));
    let asked: Option<Value> = serde_json::from_slice(&body).ok().filter(|_| is_json);
    let code = asked.as_ref().and_then(|asked| asked["order_code"].as_str());
    match code.and_then(|code| vendors.ask("ghn", code)) {
        Some(data) => said(StatusCode::OK, "Success", data),
        None => said(StatusCode::BAD_REQUEST, "Order not found", Value::Null),
    }
}

/// Printful: `@` and the shop's number of the order, a bearer token.
async fn printful(
    State(vendors): State<Vendors>,
    Path(order): Path<String>,
    headers: HeaderMap,
) -> Answer {
    let said = |status: StatusCode, result: Value| {
        (status, Json(json!({"code": status.as_u16(), "result": result})))
    };
    let token = header(&headers, "authorization").and_then(|value| value.strip_prefix("Bearer "));
    if !vendors.let_in("printful", token) {
        return said(StatusCode::UNAUTHORIZED, json!("Unauthorized"));
    }
    match order.strip_prefix('@').and_then(|order| vendors.ask("printful", order)) {
        Some(result) => said(StatusCode::OK, result),
        None => said(StatusCode::NOT_FOUND, json!("Not Found")),
    }
}

/// Heron Post, which calls nobody: the parcel by its number, the key in `X-Heron-Key`.
async fn heron(
    State(vendors): State<Vendors>,
    Path(number): Path<String>,
    headers: HeaderMap,
) -> Answer {
    if !vendors.let_in("heron", header(&headers, "x-heron-key")) {
        return (StatusCode::FORBIDDEN, Json(json!({"error": "key"})));
    }
    match vendors.ask("heron", &number) {
        Some(parcel) => (StatusCode::OK, Json(parcel)),
        None => (StatusCode::NOT_FOUND, Json(json!({"error": "no such parcel"}))),
    }
}
