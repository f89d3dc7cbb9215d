//! A vendor's document, read leniently: a field that is missing, null or of another type is
//! simply not there, and whoever needs it says so.

use super::field::json;
use crate::reject::Refusal;
use serde_json::{Map, Value};

static NOTHING: Value = Value::Null;

/// A place in a document.
#[derive(Debug, Clone, Copy)]
pub(super) struct Doc<'a>(&'a Value);

/// Parses a JSON document.
pub(super) fn parse(value: &[u8]) -> Result<Value, Refusal> {
    match json(value)? {
        document @ Value::Object(_) => Ok(document),
        _ => Err(Refusal::Shape("an object is expected".to_owned())),
    }
}

/// Parses what comes as a JSON object or, from the same vendor, as a form: its pairs become texts.
pub(super) fn parse_or_form(value: &[u8]) -> Result<Value, Refusal> {
    let first = value.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'{') || !value.contains(&b'=') {
        return parse(value);
    }
    if std::str::from_utf8(value).is_err() {
        return Err(Refusal::NotJson("neither JSON nor a form".to_owned()));
    }
    let pairs = form_urlencoded::parse(value);
    let fields: Map<String, Value> =
        pairs.map(|(name, text)| (name.into_owned(), Value::String(text.into_owned()))).collect();
    Ok(Value::Object(fields))
}

impl<'a> Doc<'a> {
    /// The whole document.
    pub(super) fn of(value: &'a Value) -> Self {
        Self(value)
    }

    /// The place at a dotted path; nothing when it is not there.
    pub(super) fn at(self, path: &str) -> Self {
        let mut here = self.0;
        for step in path.split('.') {
            here = match here {
                Value::Object(fields) => fields.get(step).unwrap_or(&NOTHING),
                Value::Array(list) => {
                    step.parse().ok().and_then(|i: usize| list.get(i)).unwrap_or(&NOTHING)
                }
                _ => &NOTHING,
            };
        }
        Self(here)
    }

    /// Is something there?
    pub(super) fn is_there(self) -> bool {
        !self.0.is_null()
    }

    /// The text at a path, or a number as its digits; none when empty.
    pub(super) fn text(self, path: &str) -> Option<String> {
        match self.at(path).0 {
            Value::String(text) => Some(text.trim()).filter(|t| !t.is_empty()).map(str::to_owned),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// The first of several spellings of a field that is filled.
    pub(super) fn any(self, paths: &[&str]) -> Option<String> {
        paths.iter().find_map(|path| self.text(path))
    }

    /// A text that nothing can be said without.
    pub(super) fn need(self, path: &str) -> Result<String, Refusal> {
        self.text(path).ok_or_else(|| Refusal::Shape(format!("`{path}` is missing")))
    }

    /// The first of several spellings, which nothing can be said without.
    pub(super) fn need_any(self, paths: &[&str]) -> Result<String, Refusal> {
        self.any(paths)
            .ok_or_else(|| Refusal::Shape(format!("`{}` is missing", paths.join("`, `"))))
    }

    /// A whole number, also one that is written as a text or with a fraction of zero.
    pub(super) fn number(self, path: &str) -> Option<i64> {
        let whole = |float: f64| {
            let is_whole = float.fract() == 0.0 && float.abs() < 9e15;
            is_whole.then(|| format!("{float:.0}").parse().ok()).flatten()
        };
        match self.at(path).0 {
            Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) => {
                let text = text.trim();
                text.parse().ok().or_else(|| whole(text.parse().ok()?))
            }
            _ => None,
        }
    }

    /// True only where it says so, as a boolean, as 1 or as the word.
    pub(super) fn flag(self, path: &str) -> bool {
        match self.at(path).0 {
            Value::Bool(flag) => *flag,
            Value::Number(number) => number.as_i64() == Some(1),
            Value::String(text) => matches!(text.as_str(), "1" | "true" | "True" | "TRUE"),
            _ => false,
        }
    }

    /// The places of a list; nothing when it is none.
    pub(super) fn each(self, path: &str) -> impl DoubleEndedIterator<Item = Doc<'a>> + use<'a> {
        let list = match self.at(path).0 {
            Value::Array(list) => list.as_slice(),
            _ => &[],
        };
        list.iter().map(Doc)
    }

    /// The value itself.
    pub(super) fn value(self) -> &'a Value {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_another_type_is_not_there() {
        let value = parse(br#"{"a":{"b":[{"c":7}],"d":"  "},"e":{"x":1}}"#).unwrap();
        let doc = Doc::of(&value);
        assert_eq!(doc.text("a.b.0.c").as_deref(), Some("7"));
        assert_eq!((doc.text("a.d"), doc.text("e"), doc.text("a.b.9.c")), (None, None, None));
        assert_eq!(doc.need("e").unwrap_err().label(), "shape");
        assert_eq!(doc.each("e").count(), 0);
    }

    #[test]
    fn a_form_and_an_object_say_the_same() {
        let form = parse_or_form(b"partner_id=T-1&reason=Kh%C3%A1ch+h%E1%BA%B9n").unwrap();
        let object =
            parse_or_form(r#"{"partner_id":"T-1","reason":"Khách hẹn"}"#.as_bytes()).unwrap();
        assert_eq!(form, object);
        assert!(parse_or_form(b"\xff=1").is_err());
        assert_eq!(parse_or_form(b"").unwrap_err().label(), "not_json");
    }

    #[test]
    fn numbers_are_read_as_they_are_written_by_different_people() {
        let value = parse(
            br#"{"a":12.0,"b":"12","c":12.5,"d":1e300,"e":true,"f":" 12.00","g":"12.5","h":"inf"}"#,
        )
        .unwrap();
        let doc = Doc::of(&value);
        assert_eq!((doc.number("a"), doc.number("b")), (Some(12), Some(12)));
        assert_eq!((doc.number("c"), doc.number("d"), doc.number("e")), (None, None, None));
        assert_eq!((doc.number("f"), doc.number("g"), doc.number("h")), (Some(12), None, None));
        assert!(doc.flag("e") && !doc.flag("a"));
    }
}
