//! Routes that a service answers: passed on with their credentials, request id and trace.

use crate::upstream::Upstream;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, Method, Uri, header};
use axum::response::Response;
use reqwest::RequestBuilder;
use service_kit::http::REQUEST_ID;
use service_kit::problem::Problem;

/// The services behind the gateway.
#[derive(Clone)]
pub struct Services {
    /// Timelines.
    pub aggregator: Upstream,
    /// Feed and preferences.
    pub notifier: Upstream,
}

const TO_SERVICE: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::ACCEPT,
    header::IF_NONE_MATCH,
    HeaderName::from_static(REQUEST_ID),
    HeaderName::from_static("traceparent"),
];
const TO_CLIENT: [HeaderName; 10] = [
    header::LOCATION,
    header::ALLOW,
    // What a page says of itself, which a browser has to know.
    header::CONTENT_SECURITY_POLICY,
    header::X_CONTENT_TYPE_OPTIONS,
    header::REFERRER_POLICY,
    header::CONTENT_TYPE,
    header::ETAG,
    header::CACHE_CONTROL,
    header::RETRY_AFTER,
    HeaderName::from_static(REQUEST_ID),
];

/// Passes a request on to the service that the route was given.
pub(super) async fn pass_on(
    State(service): State<Upstream>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let path = path(&uri)?;
    let passes = |name: &HeaderName| TO_SERVICE.contains(name);
    let prepared = |request| prepare(request, &headers, &body, passes);
    answer(service.send(&method, path, prepared).await?)
}

/// Passes a vendor's call on with all that may be signed: every header but those of this
/// connection alone (RFC 9110, 7.6.1) and those that only this gateway may say.
pub(super) async fn pass_on_whole(
    State(service): State<Upstream>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let own = [
        header::HOST,
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        header::TE,
        header::TRAILER,
        header::EXPECT,
        header::COOKIE,
        header::ACCEPT_ENCODING,
    ];
    let path = path(&uri)?;
    let prepared = |request| prepare(request, &headers, &body, |name| !own.contains(name));
    answer(service.send_once(&method, path, prepared).await?)
}

/// Does a segment, as whoever is asked next will read it (RFC 3986, 5.2.4), lead out of the route
/// that was matched here? Then what holds for that route would not hold for the other.
fn climbs(path: &str) -> bool {
    let dots = |segment: &str| segment.to_ascii_lowercase().replace("%2e", ".");
    path.split(['/', '\\']).any(|segment| matches!(dots(segment).as_str(), "." | ".."))
}

/// The path and the query, as they came.
fn path(uri: &Uri) -> Result<&str, Problem> {
    if climbs(uri.path()) {
        return Err(Problem::not_found());
    }
    Ok(uri.path_and_query().map_or("/", |path| path.as_str()))
}

fn prepare(
    request: RequestBuilder,
    headers: &HeaderMap,
    body: &Bytes,
    passes: impl Fn(&HeaderName) -> bool,
) -> RequestBuilder {
    let passed = headers.iter().filter(|(name, _)| passes(name));
    passed.fold(request, |request, (name, value)| request.header(name, value)).body(body.clone())
}

fn answer(answer: reqwest::Response) -> Result<Response, Problem> {
    let mut response = Response::builder().status(answer.status());
    for name in TO_CLIENT.iter().filter_map(|name| Some((name, answer.headers().get(name)?))) {
        response = response.header(name.0, name.1);
    }
    response.body(Body::from_stream(answer.bytes_stream())).map_err(|_| Problem::internal())
}

#[cfg(test)]
mod tests {
    use super::climbs;

    #[test]
    fn a_path_that_leads_out_of_its_route_is_not_passed_on() {
        for path in ["/v1/webhooks/../lookup", "/v1/webhooks/%2e%2E/lookup", "/v1/./x", "/a/.%2e"] {
            assert!(climbs(path), "{path}");
        }
        assert!(!climbs("/v1/orders/TM..1/timeline") && !climbs("/v1/webhooks/ghn/a.b"));
    }
}
