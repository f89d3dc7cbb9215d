//! Times as sources write them. One without an offset gets the source's zone, and says so.

use crate::day::local;
use crate::draft::Expected;
use crate::reject::{Refusal, excerpt};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use chrono_tz::Tz;
use contract::event::EtaRange;

/// A moment, and whether its zone had to be assumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct When {
    pub(super) at: DateTime<Utc>,
    pub(super) assumed: bool,
    /// The record told no time: it is that of the receipt, and says nothing of the event.
    pub(super) receipt: bool,
}

impl When {
    /// A moment that needs no zone.
    pub(super) const fn sure(at: DateTime<Utc>) -> Self {
        Self { at, assumed: false, receipt: false }
    }

    /// The moment at which a clock of a zone showed what UTC's shows at this one.
    pub(super) fn as_shown_in(self, zone: Tz) -> Self {
        local(self.at.naive_utc(), zone).map_or(self, Self::sure)
    }

    /// No time was told.
    pub(super) const fn receipt(at: DateTime<Utc>) -> Self {
        Self { at, assumed: false, receipt: true }
    }
}

/// With an offset: RFC 3339, a space instead of `T`, an offset without its colon.
const WITH_OFFSET: &[&str] = &[
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M%#z",
    "%Y-%m-%d %H:%M%#z",
];
/// Without one.
const LOCAL: &[&str] = &[
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%d/%m/%Y %H:%M:%S",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
    "%d/%m/%Y %H:%M",
    "%d-%m-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M",
    "%Y%m%d%H%M%S",
];

/// Reads a time in any of the ways that the sources have.
pub(super) fn when(text: &str, zone: Tz) -> Result<When, Refusal> {
    let text = text.trim();
    for form in WITH_OFFSET {
        if let Ok(time) = DateTime::parse_from_str(text, form) {
            return Ok(When::sure(time.to_utc()));
        }
    }
    let universal = ["Z", " UTC", " GMT"].iter().find_map(|suffix| text.strip_suffix(suffix));
    let (bare, zone, assumed) = match universal {
        Some(bare) => (bare, Tz::UTC, false),
        None => (text, zone, true),
    };
    let read = LOCAL.iter().find_map(|form| NaiveDateTime::parse_from_str(bare, form).ok());
    let midnight =
        || NaiveDate::parse_from_str(bare, "%Y-%m-%d").ok().map(|d| d.and_time(NaiveTime::MIN));
    let bare = read.or_else(midnight).ok_or_else(|| Refusal::BadTime(excerpt(text)))?;
    let at = local(bare, zone).ok_or_else(|| Refusal::BadTime(excerpt(text)))?;
    Ok(When { at, assumed, receipt: false })
}

/// Unix seconds.
pub(super) fn seconds(number: i64) -> Result<When, Refusal> {
    let time = DateTime::from_timestamp(number, 0);
    time.map(When::sure).ok_or_else(|| Refusal::BadTime(number.to_string()))
}

/// Unix milliseconds.
pub(super) fn millis(number: i64) -> Result<When, Refusal> {
    let time = DateTime::from_timestamp_millis(number);
    time.map(When::sure).ok_or_else(|| Refusal::BadTime(number.to_string()))
}

/// Unix seconds, milli-, micro- or nanoseconds, told apart by size: no two of them can mean a
/// time of the same century.
pub(super) fn epoch(number: i64) -> Result<When, Refusal> {
    let size = number.unsigned_abs();
    match size {
        0..100_000_000_000 => seconds(number),
        100_000_000_000..100_000_000_000_000 => millis(number),
        100_000_000_000_000..100_000_000_000_000_000 => millis(number / 1_000),
        _ => millis(number / 1_000_000),
    }
}

/// What whole days mean; none when the last is before the first.
pub(super) fn days(first: &str, last: &str, zone: Tz) -> Option<Expected> {
    let day = |text: &str| NaiveDate::parse_from_str(text.get(..10)?, "%Y-%m-%d").ok();
    Expected::days(day(first)?, day(last)?, zone)
}

/// What is expected at a moment, or on a day when the text names no hour (or midnight, which
/// nobody is expected at).
pub(super) fn expected(text: &str, zone: Tz) -> Option<Expected> {
    expected_between(text, text, zone)
}

/// What is expected between two moments, or from one day to another.
pub(super) fn expected_between(first: &str, last: &str, zone: Tz) -> Option<Expected> {
    if let (Some(first), Some(last)) = (whole_day(first), whole_day(last)) {
        return Expected::days(first, last, zone);
    }
    // Of a day beside a moment its own bounds count.
    let of_day = |text: &str| Some(Expected::days(whole_day(text)?, whole_day(text)?, zone)?.range);
    let at = |text: &str| of_day(text).map_or_else(|| when(text, zone).map(moment), Ok).ok();
    let (earliest, latest) = (at(first)?.earliest, at(last)?.latest);
    (earliest <= latest).then_some(EtaRange { earliest, latest }.into())
}

const fn moment(when: When) -> EtaRange {
    EtaRange { earliest: when.at, latest: when.at }
}

/// The day of a text that names no hour, or midnight.
fn whole_day(text: &str) -> Option<NaiveDate> {
    let text = text.trim();
    let midnight = text.get(11..16).unwrap_or("00:00") == "00:00";
    let day = midnight.then(|| text.get(..10).unwrap_or(text))?;
    let forms = ["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y"];
    forms.iter().find_map(|form| NaiveDate::parse_from_str(day, form).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::{America::New_York, Asia::Ho_Chi_Minh};

    fn utc(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    #[test]
    fn every_spelling_that_was_seen_is_read() {
        let spellings = [
            ("2026-11-20T16:40:05+07:00", false),
            ("2026-11-20T09:40:05.000Z", false),
            ("2026-11-20 09:40:05+00:00", false),
            ("2026-11-20T16:40:05+0700", false),
            ("2026-11-20 09:40:05 UTC", false),
            ("2026-11-20T16:40:05.0000000", true),
            ("2026-11-20T16:40:05", true),
            ("2026-11-20 16:40:05", true),
            ("20/11/2026 16:40:05", true),
            ("20261120164005", true),
        ];
        for (text, assumed) in spellings {
            let read = when(text, Ho_Chi_Minh).unwrap();
            assert_eq!(
                read,
                When { at: utc("2026-11-20T09:40:05Z"), assumed, receipt: false },
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "yesterday", "31/02/2026 00:00:00", "2026-13-01T00:00:00Z", "1795140000"] {
            assert_eq!(when(text, Ho_Chi_Minh).unwrap_err().label(), "bad_time", "{text}");
        }
        assert!(seconds(i64::MAX).is_err() && millis(i64::MIN).is_err());
    }

    #[test]
    fn the_hour_that_summer_time_skips_is_taken_an_hour_later() {
        let skipped = when("2026-03-08T02:30:00", New_York).unwrap();
        assert_eq!(skipped.at, utc("2026-03-08T07:30:00Z"));
    }

    #[test]
    fn epochs_are_told_apart_by_size() {
        let expected = utc("2026-11-20T01:58:03Z");
        let base = expected.timestamp();
        for number in [base, base * 1_000, base * 1_000_000, base * 1_000_000_000] {
            assert_eq!(epoch(number).unwrap().at, expected);
        }
    }

    #[test]
    fn days_begin_at_eight() {
        let range = days("2026-11-26", "2026-11-27", Ho_Chi_Minh).unwrap().range;
        assert_eq!(range.earliest, utc("2026-11-26T01:00:00Z"));
        assert_eq!(range.latest, utc("2026-11-27T16:59:59Z"));
        assert_eq!(days("2026-11-27", "2026-11-26", Ho_Chi_Minh), None);
        let day = days("2026-11-26", "2026-11-26", Ho_Chi_Minh);
        for text in ["2026-11-26T00:00:00Z", "26/11/2026 00:00:00", "26/11/2026", "26-11-2026"] {
            assert_eq!(expected(text, Ho_Chi_Minh), day, "{text}");
        }
    }
}
