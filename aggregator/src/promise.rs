//! What becomes true by the clock alone: a promise at risk, a delivery within 24 hours. Pure.

use crate::fold::DERIVED_SOURCE;
use chrono::{DateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use contract::milestone::Milestone;
use contract::timeline::Timeline;

/// Something that may become due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// `delay.warning`.
    Delay,
    /// `delivery.tomorrow`.
    Tomorrow,
}

impl Due {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Delay, Self::Tomorrow];

    /// Name in the index of due times.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Delay => "delay",
            Self::Tomorrow => "tomorrow",
        }
    }

    /// Reads the name.
    #[must_use]
    pub fn from_kind(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|due| due.kind() == kind)
    }

    /// The milestone that is said.
    #[must_use]
    pub const fn milestone(self) -> Milestone {
        match self {
            Self::Delay => Milestone::DelayWarning,
            Self::Tomorrow => Milestone::DeliveryTomorrow,
        }
    }
}

/// Has it been said and not withdrawn? Then the id of what said it.
#[must_use]
pub fn said(timeline: &Timeline, due: Due) -> Option<String> {
    let stands = timeline.entries.iter().rfind(|e| {
        e.milestone == due.milestone() && e.source == DERIVED_SOURCE && e.corrected_by.is_none()
    });
    stands.map(|entry| entry.id.clone())
}

/// Since when it is true, or from when it will be; none when it is not and will not be.
#[must_use]
pub fn true_from(timeline: &Timeline, due: Due, zone: Option<&str>) -> Option<DateTime<Utc>> {
    if timeline.terminal {
        return None;
    }
    let eta = timeline.eta.as_ref()?;
    match due {
        Due::Delay => {
            let promise = timeline.promise?.latest;
            let end = promise.succ_opt()?.and_time(NaiveTime::MIN);
            let end = zone_of(zone).from_local_datetime(&end).earliest()?.to_utc();
            (eta.range.latest > end)
                .then(|| eta.history.last().map_or(timeline.updated_at, |h| h.at))
        }
        // Once it is with the courier, the next thing said is that.
        Due::Tomorrow if timeline.status.rank() >= Milestone::ShipmentOutForDelivery.rank() => None,
        Due::Tomorrow => Some(eta.range.earliest - TimeDelta::hours(24)),
    }
}

/// The customer's zone; Viet Nam's for one that is no zone.
fn zone_of(name: Option<&str>) -> Tz {
    name.and_then(|name| name.parse().ok()).unwrap_or(Tz::Asia__Ho_Chi_Minh)
}

/// When to look again: when it becomes true, but not before the order has been quiet for the
/// grace, so that a shuffled history does not warn of what is already over. None when there is
/// nothing to say and nothing to take back.
#[must_use]
pub fn look_at(
    timeline: &Timeline,
    due: Due,
    zone: Option<&str>,
    grace: TimeDelta,
) -> Option<DateTime<Utc>> {
    let quiet = timeline.updated_at + grace;
    match (true_from(timeline, due, zone), said(timeline, due)) {
        (Some(from), None) => Some(from.max(quiet)),
        // A delivery that was expected and came needs no taking back.
        (None, Some(_)) if due == Due::Delay && !timeline.terminal => Some(quiet),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::{Draft, OrderRef};
    use crate::fold::fold;
    use contract::event::EtaRange;

    fn time(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    fn timeline(latest: &str) -> Timeline {
        let order: contract::id::OrderId = "T-1".parse().unwrap();
        let draft = |id: &str, code: &str, at: &str| {
            Draft::new(
                "t",
                id.into(),
                code.parse().unwrap(),
                time(at),
                OrderRef::Order(order.clone()),
            )
        };
        let mut placed = draft("1", "order.placed", "2026-11-20T00:00:00Z");
        placed.data.promise = "2026-11-27".parse().ok();
        let mut eta = draft("2", "eta.revised", "2026-11-21T00:00:00Z");
        eta.data.eta =
            Some(EtaRange { earliest: time("2026-11-26T01:00:00Z"), latest: time(latest) });
        let events = [placed.into_event(order.clone()), eta.into_event(order.clone())];
        fold(&order, &events).unwrap()
    }

    #[test]
    fn the_promise_holds_until_the_customers_day_ends() {
        // The 27th ends in Viet Nam at 17:00 UTC.
        let zone = Some("Asia/Ho_Chi_Minh");
        assert_eq!(true_from(&timeline("2026-11-27T16:59:00Z"), Due::Delay, zone), None);
        assert!(true_from(&timeline("2026-11-27T17:01:00Z"), Due::Delay, zone).is_some());
        assert_eq!(
            true_from(&timeline("2026-11-27T17:01:00Z"), Due::Delay, Some("Europe/Berlin")),
            None
        );
    }

    #[test]
    fn tomorrow_is_said_a_day_before_the_range_begins() {
        let soon =
            look_at(&timeline("2026-11-27T10:00:00Z"), Due::Tomorrow, None, TimeDelta::seconds(60));
        assert_eq!(soon, Some(time("2026-11-25T01:00:00Z")));
    }
}
