//! Refusals that the framework wrote by itself, in words or with nothing: each becomes a problem.

use crate::problem::Problem;
use axum::body::to_bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Longest sentence that is passed on.
const LONGEST: usize = 512;

/// The response, or the problem that it stands for.
pub(super) async fn named(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let in_words = kind.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !status.is_client_error() || !in_words {
        return response;
    }
    let (head, body) = response.into_parts();
    let words = to_bytes(body, LONGEST).await.unwrap_or_default();
    let words = String::from_utf8_lossy(&words).into_owned();
    let detail = if words.is_empty() { sentence(status).to_owned() } else { words };
    let mut problem = Problem::new(status, code(status), detail).into_response();
    // Which methods there are, and which pages may read it.
    for (name, value) in &head.headers {
        if ![header::CONTENT_TYPE, header::CONTENT_LENGTH].contains(name) {
            problem.headers_mut().append(name, value.clone());
        }
    }
    problem
}

fn code(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::METHOD_NOT_ALLOWED => "method",
        StatusCode::PAYLOAD_TOO_LARGE => "too_large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "media_type",
        _ => "bad_request",
    }
}

fn sentence(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "There is nothing here for you.",
        StatusCode::METHOD_NOT_ALLOWED => "This address takes other methods.",
        _ => "The request cannot be taken.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[tokio::test]
    async fn words_and_nothing_become_problems_and_all_else_stays() {
        let words = named((StatusCode::BAD_REQUEST, "limit: no number").into_response()).await;
        let problem = words.extensions().get::<Problem>().unwrap();
        assert_eq!(problem, &Problem::bad_request("limit: no number"));
        let mut nothing = StatusCode::METHOD_NOT_ALLOWED.into_response();
        nothing.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        let nothing = named(nothing).await;
        assert_eq!(nothing.extensions().get::<Problem>().map(Problem::code), Some("method"));
        assert_eq!(nothing.headers()[header::ALLOW], "POST");
        let json = [(header::CONTENT_TYPE, "application/json")];
        let own = named((StatusCode::UNAUTHORIZED, json, "{}").into_response()).await;
        assert!(own.extensions().get::<Problem>().is_none());
        let good = named("words".into_response()).await;
        assert_eq!(good.status(), StatusCode::OK);
    }
}
