//! `source.karrio`: Karrio's tracker webhooks.

use super::journey::{Parcel, Stop};
use crate::draft::{Draft, tracking_alias};
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse};
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, code, meaning};
use crate::source::time::{When, expected, when};
use chrono_tz::UTC;
use contract::milestone::Milestone;

pub(in crate::source) const SOURCE: Source = Source {
    name: "karrio",
    about: "Karrio: status of the tracker, and of every event that has one; reasons as they are",
    order: "`data.info.order_id`, `data.metadata.order_id` or `data.order_id`, else the parcel (`data.tracking_number`)",
    time: "`timestamp`, else `date` and `time`, local",
    zone: UTC,
    table: TABLE,
    read,
};

const TABLE: &[Code] = &[
    code("pending", Milestone::ShipmentLabelCreated),
    code("picked_up", Milestone::ShipmentHandedOver),
    code("in_transit", Milestone::ShipmentInTransit),
    code("on_hold", Milestone::ShipmentException),
    code("delivery_delayed", Milestone::DelayWarning).because("carrier_delay"),
    code("out_for_delivery", Milestone::ShipmentOutForDelivery),
    code("ready_for_pickup", Milestone::ShipmentAvailableForPickup).back(),
    code("delivery_failed", Milestone::ShipmentAttemptFailed),
    code("return_to_sender", Milestone::ShipmentReturning),
    code("delivered", Milestone::ShipmentDelivered),
    code("cancelled", Milestone::OrderCancelled),
    // Of a shipment, where a tracker has no such status.
    code("draft", Milestone::InfoIgnored),
    code("created", Milestone::ShipmentLabelCreated),
    code("purchased", Milestone::ShipmentLabelCreated),
    code("shipped", Milestone::ShipmentHandedOver),
    code("needs_attention", Milestone::ShipmentException),
    code("unknown", Milestone::InfoIgnored),
];

/// A date and a time of day in one of Karrio's spellings.
fn moment(event: Doc<'_>, record: &Record<'_>) -> Result<Option<When>, Refusal> {
    if let Some(text) = event.text("timestamp") {
        return when(&text, record.zone).map(Some);
    }
    let Some(date) = event.text("date") else { return Ok(None) };
    let clock = event.text("time").unwrap_or_else(|| "00:00".to_owned());
    when(&format!("{date} {}", day_time(&clock)), record.zone).map(Some)
}

/// `01:58 PM` as `13:58`.
fn day_time(clock: &str) -> String {
    let upper = clock.to_uppercase();
    let (digits, add) = match (upper.strip_suffix("PM"), upper.strip_suffix("AM")) {
        (Some(digits), _) => (digits, 12),
        (_, Some(digits)) => (digits, 0),
        _ => return clock.to_owned(),
    };
    let (hour, rest) = digits.trim().split_once(':').unwrap_or((digits.trim(), "00"));
    let hour: u32 = hour.parse().unwrap_or(99);
    format!("{:02}:{rest}", hour % 12 + add)
}

/// Some carriers' events all bear the state of the whole: a parcel arrives with the newest of them.
fn ends_once(stops: &mut Vec<Stop>, status: &str) {
    let all = stops.iter().all(|stop| stop.said.milestone.is_terminal() && stop.code == status);
    let newest = stops.iter().map(|stop| stop.when.at).max().filter(|_| all);
    stops.retain(|stop| newest.is_none_or(|newest| stop.when.at == newest));
}

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    let value = parse(record.value)?;
    let whole = Doc::of(&value);
    let data = if whole.at("data").is_there() { whole.at("data") } else { whole };
    // The server says `tracker_updated`, its guide `tracking.updated`.
    let event = whole.any(&["event", "type"]);
    let of_tracker = event.is_none_or(|event| event.starts_with("track"));
    if !of_tracker && data.text("tracking_number").is_none() {
        // Orders, batches, pick-ups, labels that are not made: of no parcel yet.
        return Ok(Vec::new());
    }
    let (number, status) = (data.need("tracking_number")?, data.need("status")?);
    let fields = ["info.order_id", "metadata.order_id", "order_id"];
    let order = record.order(data, &fields, Some(tracking_alias(&number)))?;
    let (mut stops, mut reasons) = (Vec::new(), Vec::new());
    let mut newest: Option<(When, Doc<'_>)> = None;
    for event in data.each("events") {
        let Ok(Some(when)) = moment(event, record) else { continue };
        newest = newest.filter(|(newest, _)| newest.at >= when.at).or(Some((when, event)));
        let Some(code) = event.text("status") else { continue };
        reasons.push((when.at, event.text("reason")));
        let said = meaning(TABLE, record, &code);
        let (location, note) = (event.text("location"), event.text("description"));
        stops.push(Stop { said, code, when, location, note });
    }
    ends_once(&mut stops, &status);
    let said = meaning(TABLE, record, &status);
    let at = newest.map_or(When::receipt(record.received_at), |(at, _)| at);
    // An event without a status has its news from the whole.
    let untold = newest.map(|(_, event)| event).filter(|event| event.text("status").is_none());
    let told = |field: &str| untold.and_then(|event| event.text(field));
    let (location, note) = (told("location"), told("description"));
    let state = Stop { said, code: status, when: at, location, note };
    let carrier = data.text("carrier_name");
    let parcel =
        Parcel { source: SOURCE.name, carrier, number, order, received_at: record.received_at };
    let mut drafts = parcel.drafts(stops, Some(state));
    for draft in &mut drafts {
        let told = reasons.iter().find(|(at, reason)| *at == draft.time && reason.is_some());
        draft.data.reason =
            told.and_then(|(_, reason)| reason.clone()).or(draft.data.reason.take());
    }
    let eta = data.any(&["estimated_delivery", "info.expected_delivery"]);
    let eta = eta.and_then(|day| expected(&day, record.zone));
    drafts.extend(parcel.expected(eta, at));
    Ok(drafts)
}

#[cfg(test)]
mod tests {
    use crate::draft::OrderRef;
    use crate::source::tests::read_all;

    #[test]
    fn events_of_two_clocks_are_read_and_reasons_kept() {
        let hook = r#"{"event":"tracker_updated","data":{"carrier_name":"ups","tracking_number":"KR1","status":"delivery_failed",
            "estimated_delivery":"2026-11-26","info":{"order_id":"T-12"},"events":[
            {"date":"2026-11-25","time":"01:58 PM","status":"delivery_failed","reason":"consignee_not_home","location":"Hà Nội"},
            {"date":"2026-11-24","time":"13:58","code":"PU","status":"picked_up"},
            {"date":"2026-11-24","time":"18:00","code":"AR","description":"Arrived"}]}}"#;
        let drafts = read_all("karrio", hook);
        let codes: Vec<&str> = drafts.iter().map(|d| d.milestone.code()).collect();
        assert_eq!(codes, ["shipment.handed_over", "shipment.attempt_failed", "eta.revised"]);
        assert_eq!(drafts[1].data.reason.as_deref(), Some("consignee_not_home"));
        assert_eq!(drafts[1].time.to_rfc3339(), "2026-11-25T13:58:00+00:00");
    }

    #[test]
    fn a_parcel_arrives_once_though_every_event_says_so() {
        let hook = r#"{"event":"tracker_updated","data":{"tracking_number":"KR3","status":"delivered","info":{"expected_delivery":"2026-11-26"},
            "events":[{"date":"2026-11-25","time":"10:00","status":"delivered"},{"date":"2026-11-21","time":"09:00","status":"delivered"}]}}"#;
        let drafts = read_all("karrio", hook);
        let told: Vec<_> =
            drafts.iter().map(|d| (d.milestone.code(), d.time.to_rfc3339())).collect();
        assert_eq!(told[0], ("shipment.delivered", "2026-11-25T10:00:00+00:00".to_owned()));
        assert_eq!((told.len(), told[1].0), (2, "eta.revised"));
    }

    #[test]
    fn a_label_that_is_bought_names_the_order_and_a_state_without_one_its_place() {
        let hook = r#"{"event":"shipment_purchased","data":{"order_id":"T-13","tracking_number":"KR4","status":"purchased",
            "events":[{"date":"2026-11-21","time":"09:00","location":"Huế"}]}}"#;
        let draft = &read_all("karrio", hook)[0];
        assert_eq!(draft.order, OrderRef::Order("T-13".parse().unwrap()));
        assert_eq!(draft.data.location.as_deref(), Some("Huế"));
    }

    #[test]
    fn a_day_without_an_hour_has_an_assumed_zone_and_other_events_say_nothing() {
        let hook = r#"{"event":"tracker_updated","data":{"tracking_number":"KR2","status":"in_transit","events":[{"date":"2026-03-10","code":"DP"}]}}"#;
        assert!(read_all("karrio", hook)[0].data.tz_assumed);
        let order = r#"{"event":"order_created","data":{"id":"ord_1","status":"unfulfilled"}}"#;
        assert!(read_all("karrio", order).is_empty());
    }
}
