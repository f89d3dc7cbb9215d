//! Whoever reads the description of the routes sees of each text and number what one looks like,
//! and of each parameter where it stands.

use serde_json::Value;

/// `Schema.property`, or method, route and parameter, of each text and number without an example.
pub(super) fn missing(openapi: &Value) -> Vec<String> {
    let schemas = openapi["components"]["schemas"].as_object().into_iter().flatten();
    let properties = schemas.flat_map(|(schema, body)| {
        let all = body["properties"].as_object().into_iter().flatten();
        all.map(move |(name, property)| (format!("{schema}.{name}"), property))
    });
    let bare = properties.filter(|(_, property)| wants(property)).map(|(name, _)| name);
    let parameters = parameters(openapi).filter(|(_, each)| each.get("example").is_none());
    bare.chain(parameters.map(|(place, each)| format!("{place} {}", each["name"]))).collect()
}

/// Parameters that are said to stand in the path and do not, or the other way round.
pub(super) fn misplaced(openapi: &Value) -> Vec<String> {
    let wrong = parameters(openapi).filter(|(place, each)| {
        let name = each["name"].as_str().unwrap_or_default();
        (each["in"] == "path") != place.contains(&format!("{{{name}}}"))
    });
    wrong.map(|(place, each)| format!("{place} {}", each["name"])).collect()
}

/// Every parameter with its method and route.
fn parameters(openapi: &Value) -> impl Iterator<Item = (String, &Value)> {
    let routes = openapi["paths"].as_object().into_iter().flatten();
    let operations = routes.flat_map(|(route, methods)| {
        let all = methods.as_object().into_iter().flatten();
        all.map(move |(method, operation)| (format!("{method} {route}"), operation))
    });
    operations.flat_map(|(place, operation)| {
        let all = operation["parameters"].as_array().into_iter().flatten();
        all.map(move |parameter| (place.clone(), parameter))
    })
}

/// A type is one name, or a list of them where null is allowed.
fn wants(property: &Value) -> bool {
    let plain = |kind: &Value| matches!(kind.as_str(), Some("string" | "integer" | "number"));
    let kind = &property["type"];
    let is_plain = plain(kind) || kind.as_array().is_some_and(|kinds| kinds.iter().any(plain));
    is_plain && ["example", "examples", "enum"].iter().all(|key| property.get(key).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_text_or_number_without_an_example_is_named() {
        let openapi = json!({"components": {"schemas": {"Step": {"properties": {
            "code": {"type": "string", "example": "packed"},
            "state": {"type": "string", "enum": ["done"]},
            "at": {"type": ["string", "null"]},
            "items": {"type": "array"}}}}}});
        assert_eq!(missing(&openapi), ["Step.at"]);
    }

    #[test]
    fn a_parameter_without_an_example_or_in_the_wrong_place_is_named() {
        let openapi = json!({"paths": {"/v1/orders/{order}": {"get": {"parameters": [
            {"name": "order", "in": "path", "example": "TM-1"},
            {"name": "limit", "in": "path", "example": 20},
            {"name": "cursor", "in": "query"}]}}}});
        assert_eq!(missing(&openapi), ["get /v1/orders/{order} \"cursor\""]);
        assert_eq!(misplaced(&openapi), ["get /v1/orders/{order} \"limit\""]);
    }
}
