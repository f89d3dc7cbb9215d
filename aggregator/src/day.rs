//! Days as people count them: in somebody's time zone.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use contract::event::EtaRange;

/// Nobody is expected before.
const MORNING: u32 = 8;

/// A local time. One that summer time skips is taken an hour later; of two, the earlier one.
#[must_use]
pub fn local(time: NaiveDateTime, zone: Tz) -> Option<DateTime<Utc>> {
    let there = |time: NaiveDateTime| zone.from_local_datetime(&time).earliest();
    let time = there(time).or_else(|| there(time.checked_add_signed(TimeDelta::hours(1))?))?;
    Some(time.to_utc())
}

/// The range that whole days mean: from the morning of the first to the end of the last.
#[must_use]
pub fn whole_days(first: NaiveDate, last: NaiveDate, zone: Tz) -> Option<EtaRange> {
    let night = last.succ_opt()?.and_time(NaiveTime::MIN);
    let (earliest, end) = (local(first.and_hms_opt(MORNING, 0, 0)?, zone)?, local(night, zone)?);
    let range = EtaRange { earliest, latest: end - TimeDelta::seconds(1) };
    (range.earliest <= range.latest).then_some(range)
}

/// The customer's zone; Viet Nam's for one that is no zone.
#[must_use]
pub fn zone_of(name: Option<&str>) -> Tz {
    name.and_then(|name| name.parse().ok()).unwrap_or(Tz::Asia__Ho_Chi_Minh)
}
