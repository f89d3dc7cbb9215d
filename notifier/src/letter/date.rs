//! Days as people say them.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;
use contract::event::EtaRange;
use contract::words::Language;

const VI_DAYS: [&str; 7] =
    ["Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật"];
const EN_DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const EN_MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// The customer's zone; Viet Nam's for one that is no zone.
fn local(time: DateTime<Utc>, zone: Option<&str>) -> NaiveDate {
    let zone: Tz = zone.and_then(|zone| zone.parse().ok()).unwrap_or(Tz::Asia__Ho_Chi_Minh);
    time.with_timezone(&zone).date_naive()
}

/// Does the range end after this day, as the customer counts days?
pub(super) fn ends_after(range: &EtaRange, day: NaiveDate, zone: Option<&str>) -> bool {
    local(range.latest, zone) > day
}

fn weekday(day: NaiveDate, language: Language) -> &'static str {
    let place = usize::try_from(day.weekday().num_days_from_monday()).unwrap_or(0);
    match language {
        Language::Vi => VI_DAYS[place],
        Language::En => EN_DAYS[place],
    }
}

fn with_month(day: NaiveDate, language: Language) -> String {
    match language {
        Language::Vi => format!("{} {}/{}", weekday(day, language), day.day(), day.month()),
        Language::En => {
            format!("{} {} {}", weekday(day, language), day.day(), EN_MONTHS[day.month0() as usize])
        }
    }
}

/// "Thứ Năm 26 – Thứ Sáu 27/11", "Thu 26 – Fri 27 Nov"; one day for a range within one.
pub(super) fn range(range: EtaRange, zone: Option<&str>, language: Language) -> String {
    let (first, last) = (local(range.earliest, zone), local(range.latest, zone));
    if first == last {
        return with_month(last, language);
    }
    if first.month() == last.month() {
        return format!(
            "{} {} – {}",
            weekday(first, language),
            first.day(),
            with_month(last, language)
        );
    }
    format!("{} – {}", with_month(first, language), with_month(last, language))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_told_in_the_customers_zone_and_language() {
        let time = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
        let one = EtaRange {
            earliest: time("2026-11-26T01:00:00Z"),
            latest: time("2026-11-26T11:00:00Z"),
        };
        assert_eq!(range(one, None, Language::Vi), "Thứ Năm 26/11");
        let over = EtaRange {
            earliest: time("2026-11-30T01:00:00Z"),
            latest: time("2026-12-01T01:00:00Z"),
        };
        assert_eq!(range(over, None, Language::En), "Mon 30 Nov – Tue 1 Dec");
        let late = EtaRange {
            earliest: time("2026-11-26T17:30:00Z"),
            latest: time("2026-11-26T18:00:00Z"),
        };
        assert_eq!(range(late, Some("Asia/Ho_Chi_Minh"), Language::En), "Fri 27 Nov");
        assert_eq!(range(late, Some("Europe/London"), Language::En), "Thu 26 Nov");
    }
}
