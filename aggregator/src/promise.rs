//! What becomes true by the clock alone: a promise at risk, a delivery within 24 hours. Pure.

use crate::day::{local, zone_of};
use crate::fold::DERIVED_SOURCE;
use crate::turn::{heard, nothing_comes, waits_for_the_buyer};
use chrono::{DateTime, NaiveTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use contract::event::Confidence;
use contract::milestone::Milestone;
use contract::timeline::{Entry, EtaSource, Timeline};

/// Something that may become due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// `delay.warning`.
    Delay,
    /// `delivery.tomorrow`.
    Tomorrow,
    /// `shipment.delivered`, which was only reported and which nobody contradicted.
    Reported,
}

impl Due {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Delay, Self::Tomorrow, Self::Reported];

    /// Name in the index of due times.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Delay => "delay",
            Self::Tomorrow => "tomorrow",
            Self::Reported => "reported",
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
            Self::Reported => Milestone::ShipmentDelivered,
        }
    }
}

/// Has it been said and not withdrawn? Then the id of what said it.
#[must_use]
pub fn said(timeline: &Timeline, due: Due, zone: Option<&str>) -> Option<String> {
    let entry = standing(timeline, due)?;
    let silence = entry.reason.as_deref() == Some(SILENT);
    match due {
        // Once it is believed, the report is no report any more.
        Due::Reported => None,
        // That it will be late, and when it comes, is more than that nobody was heard of.
        Due::Delay if silence && late(timeline, zone).is_some() => None,
        _ => Some(entry.id.clone()),
    }
}

/// Is a warning of a delay said and not withdrawn, whatever its reason?
#[must_use]
pub fn is_warned(timeline: &Timeline) -> bool {
    standing(timeline, Due::Delay).is_some()
}

/// The same for another reason than a silence.
fn is_said(timeline: &Timeline) -> bool {
    let warned = standing(timeline, Due::Delay);
    warned.is_some_and(|entry| entry.reason.as_deref() != Some(SILENT))
}

fn standing(timeline: &Timeline, due: Due) -> Option<&Entry> {
    timeline.entries.iter().rfind(|e| {
        e.milestone == due.milestone() && e.source == DERIVED_SOURCE && e.corrected_by.is_none()
    })
}

/// Since when it is true, or from when it will be; none when it is not and will not be.
#[must_use]
pub fn true_from(timeline: &Timeline, due: Due, zone: Option<&str>) -> Option<DateTime<Utc>> {
    if due == Due::Reported {
        return reported(timeline).map(|entry| entry.received_at + BELIEVED);
    }
    if timeline.terminal {
        return None;
    }
    if due == Due::Delay {
        return at_risk(timeline, zone);
    }
    let eta = timeline.eta.as_ref()?;
    match due {
        // A guess of the week after next is no reason to wait at the door.
        Due::Tomorrow if eta.source == EtaSource::Estimate && !is_with_the_carrier(timeline) => {
            None
        }
        // Nobody brings what has to be paid for, answered or fetched first.
        Due::Tomorrow if waits_for_the_buyer(timeline) => None,
        // Once it is with the courier, the next thing said is that.
        Due::Tomorrow if timeline.status.rank() >= Milestone::ShipmentOutForDelivery.rank() => None,
        Due::Tomorrow => {
            let day_before = eta.range.earliest.checked_sub_signed(TimeDelta::hours(24))?;
            Some(before_the_night(day_before, zone_of(zone)))
        }
        Due::Delay | Due::Reported => None,
    }
}

/// Since when the promise is at risk: it is expected later, or nobody is heard of; or, from then on, since
/// the day is over.
fn at_risk(timeline: &Timeline, zone: Option<&str>) -> Option<DateTime<Utc>> {
    let expected_late = late(timeline, zone).or_else(|| still_silent(timeline));
    expected_late.or_else(|| day_over(timeline, zone))
}

/// The end of the promised day by the customer's clock.
fn promised(timeline: &Timeline, zone: Option<&str>) -> Option<DateTime<Utc>> {
    let end = timeline.promise?.latest.succ_opt()?.and_time(NaiveTime::MIN);
    local(end, zone_of(zone))
}

/// Nobody is told at night that the day has passed, but the morning after.
const MORNING: TimeDelta = TimeDelta::hours(8);

/// The morning after the promised day, of an order that was heard of before it: whose day had passed by then
/// needs nobody to say so. Nor does who has to pay or to answer, to fetch it, or has sent it back.
fn day_over(timeline: &Timeline, zone: Option<&str>) -> Option<DateTime<Utc>> {
    let waits_for_the_buyer = waits_for_the_buyer(timeline);
    let heard_of = timeline.entries.iter().map(|entry| entry.received_at).min()?;
    let end = promised(timeline, zone).filter(|end| *end > heard_of && !waits_for_the_buyer)?;
    end.checked_add_signed(MORNING)
}

/// Since when the order is expected after the day that was promised. A carrier's range counts by
/// its end; an estimate, which nearly always ends a little late, by its middle: it is more likely
/// than not that the promise is missed. A parcel that can be fetched is there.
fn late(timeline: &Timeline, zone: Option<&str>) -> Option<DateTime<Utc>> {
    let eta = timeline.eta.as_ref().filter(|_| !nothing_comes(timeline))?;
    let end = promised(timeline, zone)?;
    let expected = match eta.source {
        // Once it is said, it stands until the whole range is within the promise: each scan moves it a little.
        EtaSource::Estimate if is_said(timeline) => eta.range.latest,
        EtaSource::Estimate => eta.range.earliest + (eta.range.latest - eta.range.earliest) / 2,
        EtaSource::Carrier | EtaSource::Shop => eta.range.latest,
    };
    // A clock that is a little ahead is no reason to take a warning back for a moment.
    let said = eta.history.last().map_or(timeline.updated_at, |h| h.at.min(timeline.updated_at));
    (expected > end).then_some(said)
}

/// The reason of a warning that nothing but a silence gave.
pub const SILENT: &str = "silence";

/// A warning for a silence stands until somebody is heard of where it was silent.
fn still_silent(timeline: &Timeline) -> Option<DateTime<Utc>> {
    let warned = standing(timeline, Due::Delay)?;
    let newest = heard(timeline)?.received_at;
    (warned.reason.as_deref() == Some(SILENT) && newest <= warned.received_at)
        .then_some(warned.received_at)
}

const fn is_with_the_carrier(timeline: &Timeline) -> bool {
    timeline.status.rank() >= Milestone::ShipmentHandedOver.rank()
}

/// What a carrier reports without signing is believed when nobody contradicts it for so long.
const BELIEVED: TimeDelta = TimeDelta::hours(2);

/// A delivery that is only reported, of a parcel that is still where the report says.
#[must_use]
pub fn reported(timeline: &Timeline) -> Option<&Entry> {
    let delivered = Milestone::ShipmentDelivered;
    let there = |entry: &&Entry| {
        let parcel = timeline.shipments.iter().find(|s| Some(&s.id) == entry.shipment.as_ref());
        parcel.is_none_or(|parcel| parcel.status == delivered)
    };
    let open = timeline.entries.iter().filter(|entry| {
        entry.milestone == delivered
            && entry.confidence == Confidence::Reported
            && entry.corrected_by.is_none()
    });
    open.filter(there).min_by_key(|entry| entry.received_at)
}

/// Nobody is told between 22:00 and 07:00: earlier, never later.
fn before_the_night(at: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let local = at.with_timezone(&zone).naive_local();
    let evening = match local.hour() {
        22.. => local.date(),
        0..7 => local.date().pred_opt().unwrap_or(local.date()),
        _ => return at,
    };
    let moved =
        evening.and_hms_opt(21, 59, 0).and_then(|t| zone.from_local_datetime(&t).earliest());
    moved.map_or(at, |moved| moved.to_utc())
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
    match (true_from(timeline, due, zone), said(timeline, due, zone)) {
        (Some(from), None) => Some(from.max(quiet)),
        (_, Some(_)) => holds_no_more(timeline, due, zone, quiet).then_some(quiet),
        (None, None) => None,
    }
}

/// Is something said that is not true at this moment?
#[must_use]
pub fn holds_no_more(
    timeline: &Timeline,
    due: Due,
    zone: Option<&str>,
    now: DateTime<Utc>,
) -> bool {
    let Some(entry) = standing(timeline, due).filter(|_| !timeline.terminal) else { return false };
    let from = true_from(timeline, due, zone);
    match due {
        // Whose turn is the buyer's may be late all the same, once it goes on.
        Due::Delay => from.is_none_or(|from| from > now) && !waits_for_the_buyer(timeline),
        // A delivery that was expected and is on its way, or came, needs no taking back: one that was
        // put off to a later day does, and another hour of the day does not.
        Due::Tomorrow => from.is_some_and(|from| {
            let day = |time: DateTime<Utc>| time.with_timezone(&zone_of(zone)).date_naive();
            from > now && day(from) > day(entry.at)
        }),
        Due::Reported => false,
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
        let from = |latest: &str, zone| true_from(&timeline(latest), Due::Delay, zone).unwrap();
        let (told, over) = (time("2026-11-21T00:00:00Z"), time("2026-11-28T01:00:00Z"));
        assert_eq!(from("2026-11-27T16:59:00Z", zone), over, "the day may pass all the same");
        assert_eq!(from("2026-11-27T17:01:00Z", zone), told, "it is expected later");
        let berlin = time("2026-11-28T07:00:00Z");
        assert_eq!(from("2026-11-27T17:01:00Z", Some("Europe/Berlin")), berlin);
    }

    #[test]
    fn the_day_that_passes_is_said_and_one_that_had_passed_is_not() {
        let order: contract::id::OrderId = "T-1".parse().unwrap();
        let placed = |received: &str| {
            let named = OrderRef::Order(order.clone());
            let at = time("2026-11-20T00:00:00Z");
            let mut draft = Draft::new("t", "1".into(), Milestone::OrderPlaced, at, named);
            draft.data.promise = "2026-11-27".parse().ok();
            draft.received_at = time(received);
            fold(&order, &[draft.into_event(order.clone())]).unwrap()
        };
        let look = |received: &str| look_at(&placed(received), Due::Delay, None, TimeDelta::zero());
        assert_eq!(look("2026-11-20T00:00:00Z"), Some(time("2026-11-28T01:00:00Z")), "08:00");
        assert_eq!(look("2026-11-28T00:00:00Z"), None);
        let mut unpaid = placed("2026-11-20T00:00:00Z");
        unpaid.status = Milestone::PaymentPending;
        assert_eq!(look_at(&unpaid, Due::Delay, None, TimeDelta::zero()), None);
    }

    #[test]
    fn tomorrow_is_said_a_day_before_the_range_begins() {
        let soon =
            look_at(&timeline("2026-11-27T10:00:00Z"), Due::Tomorrow, None, TimeDelta::seconds(60));
        assert_eq!(soon, Some(time("2026-11-25T01:00:00Z")));
    }

    #[test]
    fn who_has_to_fetch_it_or_to_answer_is_not_told_that_it_comes_or_is_late() {
        let mut late = timeline("2026-11-30T10:00:00Z");
        let from = |timeline: &Timeline, due| true_from(timeline, due, None).is_some();
        assert!(from(&late, Due::Delay) && from(&late, Due::Tomorrow));
        late.items[0].status = Milestone::ShipmentAvailableForPickup;
        assert!(!from(&late, Due::Delay) && !from(&late, Due::Tomorrow));
        late.items[0].status = Milestone::OrderOnHold;
        late.status = Milestone::OrderOnHold;
        assert!(from(&late, Due::Delay) && !from(&late, Due::Tomorrow));
    }

    #[test]
    fn that_it_comes_later_is_said_although_a_silence_was() {
        let mut late = timeline("2026-11-30T10:00:00Z");
        let mut warning = late.entries[0].clone();
        (warning.milestone, warning.source) = (Milestone::DelayWarning, DERIVED_SOURCE.to_owned());
        warning.reason = Some(SILENT.to_owned());
        late.entries.push(warning.clone());
        assert!(said(&late, Due::Delay, None).is_none() && is_warned(&late));
        warning.reason = None;
        late.entries.push(warning);
        assert!(said(&late, Due::Delay, None).is_some());
        // An estimate that moves a little takes nothing back, until it is wholly within the promise.
        let eta = late.eta.as_mut().unwrap();
        (eta.source, eta.range.earliest) = (EtaSource::Estimate, time("2026-11-20T00:00:00Z"));
        assert!(!holds_no_more(&late, Due::Delay, None, time("2026-11-22T00:00:00Z")));
        late.eta.as_mut().unwrap().range.latest = time("2026-11-27T10:00:00Z");
        assert!(holds_no_more(&late, Due::Delay, None, time("2026-11-22T00:00:00Z")));
    }

    #[test]
    fn a_delivery_that_is_put_off_to_another_day_is_not_tomorrow() {
        let order: contract::id::OrderId = "T-1".parse().unwrap();
        let said_at = "2026-11-25T01:00:00Z";
        let state = |earliest: &str| {
            let named = || OrderRef::Order(order.clone());
            let draft = |source: &str, id: &str, code: Milestone, at: &str| {
                Draft::new(source, id.into(), code, time(at), named())
            };
            let placed = draft("t", "1", Milestone::OrderPlaced, "2026-11-20T00:00:00Z");
            let mut eta = draft("t", "2", Milestone::EtaRevised, "2026-11-25T02:00:00Z");
            let earliest = time(earliest);
            eta.data.eta = Some(EtaRange { earliest, latest: earliest + TimeDelta::hours(8) });
            let said = draft(DERIVED_SOURCE, "3", Milestone::DeliveryTomorrow, said_at);
            let events = [placed, eta, said].map(|draft| draft.into_event(order.clone()));
            fold(&order, &events).unwrap()
        };
        let now = time("2026-11-25T03:00:00Z");
        let untrue = |earliest: &str| {
            let state = state(earliest);
            let looked_at = look_at(&state, Due::Tomorrow, None, TimeDelta::seconds(60));
            assert_eq!(looked_at.is_some(), holds_no_more(&state, Due::Tomorrow, None, now));
            looked_at.is_some()
        };
        assert!(!untrue("2026-11-26T01:00:00Z") && !untrue("2026-11-26T09:00:00Z"));
        assert!(untrue("2026-11-27T01:00:00Z"));
    }

    #[test]
    fn nobody_is_told_at_night_but_earlier() {
        let told = |text: &str| before_the_night(time(text), Tz::Asia__Ho_Chi_Minh);
        // 01:00 in Viet Nam is told at 21:59 of the evening before; 08:00 stays.
        assert_eq!(told("2026-11-24T18:00:00Z"), time("2026-11-24T14:59:00Z"));
        assert_eq!(told("2026-11-25T01:00:00Z"), time("2026-11-25T01:00:00Z"));
        assert_eq!(told("2026-11-24T15:30:00Z"), time("2026-11-24T14:59:00Z"));
    }

    #[test]
    fn a_reported_delivery_is_believed_after_two_hours_unless_the_parcel_went_on() {
        let order: contract::id::OrderId = "T-1".parse().unwrap();
        let event = |id: &str, code: &str, at: &str, sure: Confidence| {
            let order_ref = OrderRef::Order(order.clone());
            let mut draft =
                Draft::new("ghn", id.into(), code.parse().unwrap(), time(at), order_ref);
            draft.data.tracking_number = Some("X".into());
            (draft.data.confidence, draft.data.step_back) = (sure, code.contains("attempt"));
            draft.into_event(order.clone())
        };
        let delivered =
            event("1", "shipment.delivered", "2026-11-24T03:00:00Z", Confidence::Reported);
        let look = |events: &[_]| true_from(&fold(&order, events).unwrap(), Due::Reported, None);
        assert_eq!(look(std::slice::from_ref(&delivered)), Some(time("2026-11-24T05:00:00Z")));
        let failed =
            event("2", "shipment.attempt_failed", "2026-11-24T04:00:00Z", Confidence::Confirmed);
        assert_eq!(look(&[delivered.clone(), failed]), None);
        let order_ref = OrderRef::Order(order.clone());
        let at = time("2026-11-24T05:00:00Z");
        let mut believed =
            Draft::new(DERIVED_SOURCE, "b".into(), Milestone::ShipmentDelivered, at, order_ref);
        believed.data.shipment = Some("X".into());
        believed.data.confidence = Confidence::Predicted;
        let both = [delivered, believed.into_event(order.clone())];
        let timeline = fold(&order, &both).unwrap();
        assert_eq!((timeline.entries.len(), timeline.version), (1, 2));
        assert_eq!(timeline.entries[0].confidence, Confidence::Predicted);
        assert_eq!(look(&both), None);
    }
}
