//! `PUT /v1/orders/{order}`: what `source.shop` says, without Kafka.

use super::{Api, hand_over};
use crate::source::Catalog;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use contract::event::Confidence;
use contract::name::source_topic;
use serde_json::{Value, json};
use service_kit::api_key::Role;
use service_kit::auth::Principal;
use service_kit::clock;
use service_kit::kafka::Outgoing;
use service_kit::problem::Problem;
use std::collections::HashMap;

/// Tells of an order: the body of a `source.shop` record. It is checked here, so that a mistake is
/// answered at once, and taken once the log has it.
#[utoipa::path(
    put,
    path = "/v1/orders/{order}",
    params(("order" = String, Path, description = "Order number", example = "TM-1042")),
    request_body(content = Value, description = "As in the topic `source.shop`", example = json!({
        "event": "order.placed", "order_no": "TM-1042", "at": "2026-11-20T01:58:03Z",
        "customer": {"id": "C-77", "email": "bich@example.com", "locale": "vi"},
        "items": [{"line": "1", "sku": "MUG-11", "title": "Cốc in tên", "quantity": 2}],
        "promise": {"latest": "2026-11-27"}})),
    responses(
        (status = 202, description = "The log has it"),
        (status = 400, description = "It would be refused; the code says why"),
        (status = 403, description = "Not a back end's key"),
        (status = 503, description = "The log is away; come again"),
    ),
)]
pub(super) async fn put(
    State(api): State<Api>,
    principal: Principal,
    Path(order): Path<String>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    principal.key(Role::Api)?;
    let refused = |code, detail: String| Problem::new(StatusCode::BAD_REQUEST, code, detail);
    let now = clock::now();
    let read = Catalog::default().read("shop", &body, &HashMap::new(), now, Confidence::Confirmed);
    let mut drafts = read.map_err(|why| refused(why.label(), why.to_string()))?;
    for draft in &mut drafts {
        crate::validate::check(draft, now).map_err(|why| refused(why.label(), why.to_string()))?;
    }
    let told: Value = serde_json::from_slice(&body).unwrap_or_default();
    if told["order_no"] != order {
        return Err(refused("bad_id", "`order_no` is not the order of the address".to_owned()));
    }
    let record = Outgoing::new(source_topic("shop"), order.as_bytes(), body.to_vec())
        .header("received-at", now.to_rfc3339())
        .header("verification", "verified");
    hand_over(&api, record).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({"order": order}))))
}
