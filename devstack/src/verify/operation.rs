//! What holds for every operation, so that no service has to say it of each: what a refusal looks like, and
//! that a key or a token is asked for.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What a refusal looks like (RFC 9457).
pub(super) fn problem() -> Value {
    json!({"type": "object", "required": ["type", "title", "status", "code", "detail"],
        "description": "Why a request is refused (RFC 9457)",
        "properties": {
            "type": {"type": "string", "example": "urn:milepost:problem:bad_request"},
            "title": {"type": "string", "example": "Bad Request"},
            "status": {"type": "integer", "example": 400},
            "code": {"type": "string", "description": "For programs", "example": "bad_request"},
            "detail": {"type": "string", "description": "For people",
                "example": "The cursor is none of ours."},
            "request_id": {"type": ["string", "null"], "description": "As in the logs",
                "example": "0198c0de-0000-7000-8000-000000000001"}}})
}

/// Says of every refusal what it looks like, and of every operation that wants a key that it refuses who has
/// none.
pub(super) fn complete(openapi: &mut Value) {
    let routes = openapi["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    let operations = routes.flat_map(|methods| methods.as_object_mut().into_iter().flatten());
    for (_, operation) in operations {
        let anyone = operation["security"] == json!([{}]);
        let Some(responses) = operation["responses"].as_object_mut() else { continue };
        if !anyone {
            let none = json!({"description": "No key or token, or a bad one"});
            responses.entry("401").or_insert(none);
        }
        for (status, response) in responses {
            if status.starts_with(['4', '5']) && response.get("content").is_none() {
                response["content"] = json!({"application/problem+json":
                    {"schema": {"$ref": "#/components/schemas/Problem"}}});
            }
        }
    }
}

/// Names that several operations have: programs that are made from the document call them by these.
pub(super) fn named_twice(openapi: &Value) -> Vec<String> {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    let routes = openapi["paths"].as_object().into_iter().flatten();
    for (_, operation) in routes.flat_map(|(_, methods)| methods.as_object().into_iter().flatten())
    {
        *names.entry(operation["operationId"].as_str().unwrap_or_default()).or_default() += 1;
    }
    names.into_iter().filter(|(_, count)| *count > 1).map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_described_and_names_are_unique() {
        let mut openapi = json!({"paths": {
            "/a": {"get": {"operationId": "list", "responses": {"200": {}, "404": {"description": "none"}}}},
            "/b": {"get": {"operationId": "list", "security": [{}], "responses": {"200": {}}}}}});
        complete(&mut openapi);
        let of = |pointer: &str| openapi.pointer(pointer).is_some();
        assert!(of("/paths/~1a/get/responses/401/content/application~1problem+json"));
        assert!(of("/paths/~1a/get/responses/404/content/application~1problem+json/schema"));
        assert!(!of("/paths/~1a/get/responses/200/content"));
        assert!(!of("/paths/~1b/get/responses/401"), "anybody may ask");
        assert_eq!(named_twice(&openapi), ["list"]);
    }
}
