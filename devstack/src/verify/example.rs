//! Whoever reads the description of the routes sees of each text and number what one looks like.

use serde_json::Value;

/// `Schema.property` of each text and number that has no example.
pub(super) fn missing(openapi: &Value) -> Vec<String> {
    let schemas = openapi["components"]["schemas"].as_object().into_iter().flatten();
    let properties = schemas.flat_map(|(schema, body)| {
        let all = body["properties"].as_object().into_iter().flatten();
        all.map(move |(name, property)| (format!("{schema}.{name}"), property))
    });
    properties.filter(|(_, property)| wants(property)).map(|(name, _)| name).collect()
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
}
