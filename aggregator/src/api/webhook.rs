//! `/v1/webhooks/{source}`: what a vendor says goes to the log, and only then is it thanked.

use super::{Api, hand_over};
use crate::metric;
use crate::source::Catalog;
use crate::webhook::{Answer, Call, Vendor, Verdict};
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use contract::name::source_topic;
use service_kit::clock;
use service_kit::kafka::Outgoing;
use service_kit::problem::Problem;

/// A vendor's webhook. Its signature is checked over the raw bytes; the record is in Kafka
/// before the answer, which is the one that the vendor expects.
#[utoipa::path(
    post,
    path = "/v1/webhooks/{source}",
    params(("source" = String, Path, description = "Name of the source", example = "stripe")),
    request_body(content = Value, description = "The vendor's own body"),
    responses(
        (status = 200, description = "Taken; the body is what the vendor expects"),
        (status = 204, description = "Taken (MoMo)"),
        (status = 401, description = "No signature, a bad one, or one that is too old"),
        (status = 404, description = "No such source, or it is not in use here"),
        (status = 413, description = "More than 1 MiB"),
        (status = 503, description = "The log is away; come again"),
    ),
    security(()),
)]
pub(super) async fn open(
    State(api): State<Api>,
    Path(source): Path<String>,
    method: Method,
    query: RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    take(&api, &source, None, &method, query, &headers, &body).await
}

/// The same for a vendor that calls with a GET, whose query is the record (VNPay).
#[utoipa::path(
    get,
    path = "/v1/webhooks/{source}",
    params(("source" = String, Path, description = "Name of the source", example = "vnpay")),
    responses(
        (status = 200, description = "Taken; the body is what the vendor expects"),
        (status = 401, description = "No signature, or a bad one; the body is what the vendor expects"),
        (status = 404, description = "No such source, or it is not in use here"),
        (status = 405, description = "This source posts"),
        (status = 503, description = "The log is away; come again"),
    ),
    security(()),
)]
pub(super) async fn by_query(
    api: State<Api>,
    source: Path<String>,
    method: Method,
    query: RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    open(api, source, method, query, headers, Bytes::new()).await
}

/// The same for vendors that do not sign: the address carries a secret.
#[utoipa::path(
    post,
    path = "/v1/webhooks/{source}/{secret}",
    params(
        ("source" = String, Path, description = "Name of the source", example = "ghn"),
        ("secret" = String, Path, description = "The secret that was agreed with the vendor",
            example = "whsec-of-this-vendor"),
    ),
    request_body(content = Value, description = "The vendor's own body"),
    responses(
        (status = 200, description = "Taken; the body is what the vendor expects"),
        (status = 401, description = "Another secret"),
        (status = 404, description = "No such source, or it is not in use here"),
        (status = 413, description = "More than 1 MiB"),
        (status = 503, description = "The log is away; come again"),
    ),
    security(()),
)]
pub(super) async fn secret(
    State(api): State<Api>,
    Path((source, secret)): Path<(String, String)>,
    method: Method,
    query: RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    take(&api, &source, Some(&secret), &method, query, &headers, &body).await
}

async fn take(
    api: &Api,
    source: &str,
    path_secret: Option<&str>,
    method: &Method,
    RawQuery(query): RawQuery,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response, Problem> {
    let in_use = |vendor: &&Vendor| api.webhook_secrets.is_in_use(vendor.source);
    let vendor = api.vendors.get(source).filter(in_use).ok_or_else(Problem::not_found)?;
    if *method != Method::POST && !(*method == Method::GET && vendor.by_query) {
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "This source posts.");
        let allow = if vendor.by_query { "GET, POST" } else { "POST" };
        return Ok(([(header::ALLOW, allow)], problem).into_response());
    }
    let query = query.unwrap_or_default();
    let call = Call { headers, query: &query, body, path_secret, now: clock::now() };
    if vendor.is_ping(&call) {
        return Ok(answer(vendor.thanks(&call)));
    }
    let verification = match vendor.check(&call, &api.webhook_secrets) {
        Verdict::Verified => "verified",
        Verdict::Unsigned => "unsigned",
        Verdict::Bad(why) => {
            metric::webhook(vendor.source, why);
            return Ok(refusal(vendor, &call, why));
        }
    };
    let record = keyed(&api.catalog, vendor.source, record(vendor, &call, verification), call.now);
    hand_over(api, record).await?;
    metric::webhook(vendor.source, verification);
    Ok(answer(vendor.thanks(&call)))
}

fn record(vendor: &Vendor, call: &Call<'_>, verification: &str) -> Outgoing {
    let record = Outgoing::new(source_topic(vendor.source), "", vendor.record(call))
        .header("received-at", call.now.to_rfc3339())
        .header("verification", verification);
    let kept = call.headers.iter().filter(|(name, _)| Vendor::keeps(name.as_str()));
    kept.fold(record, |record, (name, value)| record.header(name.to_string(), value.as_bytes()))
}

/// With the name by which it calls its order as its key: what is said of one order goes to one process.
fn keyed(catalog: &Catalog, source: &str, record: Outgoing, now: DateTime<Utc>) -> Outgoing {
    let headers = record.headers.iter().map(|(name, value)| (name.to_string(), value.clone()));
    let name = catalog.name_in(source, &record.value, &headers.collect(), now);
    Outgoing { key: name.map(String::into_bytes), ..record }
}

fn answer(answer: Answer) -> Response {
    match answer.body {
        None => answer.status.into_response(),
        Some(body) => {
            (answer.status, [(header::CONTENT_TYPE, "application/json")], body.to_string())
                .into_response()
        }
    }
}

fn refusal(vendor: &Vendor, call: &Call<'_>, why: &'static str) -> Response {
    let body = vendor.refusal(call);
    match body {
        Some(body) => answer(Answer { status: StatusCode::UNAUTHORIZED, body: Some(body) }),
        None => Problem::new(StatusCode::UNAUTHORIZED, why, "The signature does not hold.")
            .into_response(),
    }
}
