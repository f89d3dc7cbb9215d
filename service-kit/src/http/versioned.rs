//! A document with a version: its tag, and whether the asker has it already.

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The document (JSON) with its version as `ETag`; 304 when `If-None-Match` names that (RFC 9110,
/// 13.1.2). Nobody keeps it for others, and nobody shows it without asking again.
#[must_use]
pub fn versioned(version: u64, document: String, asked: &HeaderMap) -> Response {
    let tag = format!("\"{version}\"");
    let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let caching =
        [(header::ETAG, tag.clone()), (header::CACHE_CONTROL, "private, no-cache".to_owned())];
    if known.is_some_and(|list| list.split(',').any(|t| t.trim().trim_start_matches("W/") == tag)) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(header::CONTENT_TYPE, "application/json")], document).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_the_version_gets_nothing_again() {
        let asked = |tags: &str| {
            let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, tags.parse().unwrap())]);
            versioned(7, "{}".to_owned(), &headers).status()
        };
        for same in ["\"7\"", "\"6\", W/\"7\""] {
            assert_eq!(asked(same), StatusCode::NOT_MODIFIED, "{same}");
        }
        for other in ["\"6\"", "7", "\"77\""] {
            assert_eq!(asked(other), StatusCode::OK, "{other}");
        }
    }
}
