//! Writes instants as JSON: the texts that chrono writes, without its formatter. A timeline has two for
//! each of its entries, and is written anew with each version.

use chrono::{DateTime, Datelike, Timelike, Utc};
use serde::{Serialize, Serializer};

/// Nanoseconds of a second; what is above them is a leap second.
const SECOND: u32 = 1_000_000_000;

/// RFC 3339 in UTC, with as many digits of a second as it has: none, 3, 6 or 9.
///
/// # Errors
/// The serializer's.
pub fn write<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut text = Text::default();
    match text.instant(at) {
        Some(()) => serializer.serialize_str(text.as_str()),
        // A leap second, or a year of more or fewer than four digits.
        None => at.serialize(serializer),
    }
}

/// Room for the longest: `2026-11-20T09:40:06.123456789Z`.
#[derive(Default)]
struct Text {
    bytes: [u8; 30],
    length: usize,
}

impl Text {
    fn instant(&mut self, at: &DateTime<Utc>) -> Option<()> {
        let nanos = at.nanosecond();
        let year = u32::try_from(at.year()).ok().filter(|year| (1000..=9999).contains(year))?;
        if nanos >= SECOND {
            return None;
        }
        for (number, digits, after) in [
            (year, 4, b'-'),
            (at.month(), 2, b'-'),
            (at.day(), 2, b'T'),
            (at.hour(), 2, b':'),
            (at.minute(), 2, b':'),
        ] {
            self.number(number, digits);
            self.byte(after);
        }
        self.number(at.second(), 2);
        self.fraction(nanos);
        self.byte(b'Z');
        Some(())
    }

    fn fraction(&mut self, nanos: u32) {
        let (number, digits) = match nanos {
            0 => return,
            n if n % 1_000_000 == 0 => (n / 1_000_000, 3),
            n if n % 1_000 == 0 => (n / 1_000, 6),
            n => (n, 9),
        };
        self.byte(b'.');
        self.number(number, digits);
    }

    /// A number with leading zeros.
    fn number(&mut self, mut number: u32, digits: usize) {
        for place in (self.length..self.length + digits).rev() {
            self.bytes[place] = b'0' + u8::try_from(number % 10).unwrap_or(0);
            number /= 10;
        }
        self.length += digits;
    }

    fn byte(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;
    use proptest::prelude::*;

    #[derive(Serialize)]
    struct Ours(#[serde(serialize_with = "write")] DateTime<Utc>);

    fn same(at: DateTime<Utc>) -> bool {
        serde_json::to_string(&Ours(at)).unwrap() == serde_json::to_string(&at).unwrap()
    }

    proptest! {
        #[test]
        fn every_instant_is_written_as_chrono_writes_it(
            seconds in -80_000_000_000_i64..300_000_000_000,
            nanos in prop_oneof![Just(0_u32), 0..2_000_000_000_u32, (0..1_000_u32).prop_map(|ms| ms * 1_000_000),
                (0..1_000_000_u32).prop_map(|us| us * 1_000)],
        ) {
            let at = Utc.timestamp_opt(seconds, nanos).single();
            prop_assert!(at.is_none_or(same));
        }
    }

    #[test]
    fn ends_of_the_calendar_and_leap_seconds_too() {
        for at in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
            assert!(same(at));
        }
        assert!(same(Utc.timestamp_opt(1_483_228_799, 1_500_000_000).unwrap()));
    }
}
