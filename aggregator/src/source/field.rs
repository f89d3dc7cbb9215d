//! What the sources' fields have in common: JSON, numbers of orders, times, stable ids.

use crate::draft::OrderRef;
use crate::reject::{Refusal, excerpt};
use aws_lc_rs::digest;
use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Asia::Ho_Chi_Minh;
use contract::id::OrderId;
use serde::de::{DeserializeOwned, IgnoredAny};

/// Reads JSON of a known shape.
pub(super) fn json<T: DeserializeOwned>(value: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(value).map_err(|error| {
        // A wrong shape may be met before the place where the JSON breaks: JSON comes first.
        match serde_json::from_slice::<IgnoredAny>(value) {
            Ok(_) => Refusal::Shape(excerpt(&error.to_string())),
            Err(broken) => Refusal::NotJson(excerpt(&broken.to_string())),
        }
    })
}

/// Reads an order number.
pub(super) fn order(text: &str) -> Result<OrderRef, Refusal> {
    let id: Result<OrderId, _> = text.parse();
    id.map(OrderRef::Order).map_err(|error| Refusal::BadId(error.to_string()))
}

/// RFC 3339 with an offset.
pub(super) fn instant(text: &str) -> Result<DateTime<Utc>, Refusal> {
    let read = DateTime::parse_from_rfc3339(text);
    read.map(|time| time.to_utc()).map_err(|_| Refusal::BadTime(excerpt(text)))
}

/// Unix milliseconds.
pub(super) fn millis(number: i64) -> Result<DateTime<Utc>, Refusal> {
    DateTime::from_timestamp_millis(number).ok_or_else(|| Refusal::BadTime(number.to_string()))
}

/// Unix seconds.
pub(super) fn seconds(number: i64) -> Result<DateTime<Utc>, Refusal> {
    DateTime::from_timestamp(number, 0).ok_or_else(|| Refusal::BadTime(number.to_string()))
}

/// `dd/MM/yyyy HH:mm:ss`, Viet Nam's time (which has no summer time, so it is never ambiguous).
pub(super) fn vietnam_local(text: &str) -> Result<DateTime<Utc>, Refusal> {
    let bad = || Refusal::BadTime(excerpt(text));
    let local = NaiveDateTime::parse_from_str(text, "%d/%m/%Y %H:%M:%S").map_err(|_| bad())?;
    Ho_Chi_Minh.from_local_datetime(&local).earliest().map(|time| time.to_utc()).ok_or_else(bad)
}

/// An id for a record that has none: the same content gives the same id.
pub(super) fn hashed_id(parts: &[&str]) -> String {
    let joined = parts.join("\u{1f}");
    let hash = digest::digest(&digest::SHA256, joined.as_bytes());
    hash.as_ref().iter().take(16).fold("h".to_owned(), |id, byte| format!("{id}{byte:02x}"))
}

/// None for an empty text.
pub(super) fn filled(text: Option<String>) -> Option<String> {
    text.filter(|t| !t.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_time_of_viet_nam_is_seven_hours_ahead() {
        let time = vietnam_local("20/11/2026 16:40:05").unwrap();
        assert_eq!(time, instant("2026-11-20T09:40:05Z").unwrap());
        assert!(vietnam_local("2026-11-20 16:40:05").is_err());
        assert!(vietnam_local("31/02/2026 00:00:00").is_err());
    }

    #[test]
    fn text_that_is_no_json_and_json_of_another_shape_have_different_names() {
        assert_eq!(json::<Vec<u8>>(b"{").unwrap_err().label(), "not_json");
        assert_eq!(json::<Vec<u8>>(b"{}").unwrap_err().label(), "shape");
    }
}
