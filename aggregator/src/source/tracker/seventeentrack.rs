//! `source.17track`: 17TRACK's push, with its blocks inside `track_info` (as documented) or
//! beside it.

use super::journey::{Parcel, Stop};
use crate::draft::{Draft, tracking_alias};
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse};
use crate::source::field::order;
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, Meaning, code, meaning};
use crate::source::time::{When, days, when};
use chrono_tz::UTC;
use contract::milestone::Milestone;

pub(in crate::source) const SOURCE: Source = Source {
    name: "17track",
    about: "17TRACK: stage or sub-status of every event, and the latest status; both nestings",
    order: "`data.tag` or `data.param`, where the shop put it when registering; else the parcel (`data.number`)",
    time: "`time_utc`, else `time_iso`",
    zone: UTC,
    table: TABLE,
    read,
};

const TABLE: &[Code] = &[
    code("NotFound", Milestone::ShipmentLabelCreated).reported(),
    code("NotFound_Other", Milestone::ShipmentLabelCreated).reported(),
    code("NotFound_InvalidCode", Milestone::InfoIgnored),
    code("InfoReceived", Milestone::ShipmentLabelCreated),
    code("PickedUp", Milestone::ShipmentHandedOver),
    code("Departure", Milestone::ShipmentInTransit),
    code("Arrival", Milestone::ShipmentInTransit),
    code("InTransit", Milestone::ShipmentInTransit),
    code("InTransit_PickedUp", Milestone::ShipmentHandedOver),
    code("InTransit_Departure", Milestone::ShipmentInTransit),
    code("InTransit_Arrival", Milestone::ShipmentInTransit),
    code("InTransit_CustomsProcessing", Milestone::ShipmentInTransit),
    code("InTransit_CustomsReleased", Milestone::ShipmentInTransit),
    code("InTransit_CustomsRequiringInformation", Milestone::ShipmentException)
        .because("customs_documentation"),
    code("InTransit_Other", Milestone::ShipmentInTransit),
    code("AvailableForPickup", Milestone::ShipmentAvailableForPickup).back(),
    code("AvailableForPickup_Other", Milestone::ShipmentAvailableForPickup).back(),
    code("OutForDelivery", Milestone::ShipmentOutForDelivery),
    code("OutForDelivery_Other", Milestone::ShipmentOutForDelivery),
    code("DeliveryFailure", Milestone::ShipmentAttemptFailed),
    code("DeliveryFailure_Other", Milestone::ShipmentAttemptFailed),
    code("DeliveryFailure_NoBody", Milestone::ShipmentAttemptFailed).because("consignee_not_home"),
    code("DeliveryFailure_Security", Milestone::ShipmentAttemptFailed)
        .because("customs_inspection"),
    code("DeliveryFailure_Rejected", Milestone::ShipmentAttemptFailed).because("consignee_refused"),
    code("DeliveryFailure_InvalidAddress", Milestone::ShipmentAttemptFailed)
        .because("consignee_incorrect_address"),
    code("Delivered", Milestone::ShipmentDelivered),
    code("Delivered_Other", Milestone::ShipmentDelivered),
    code("Returning", Milestone::ShipmentReturning),
    code("Returned", Milestone::ShipmentReturned),
    code("Exception", Milestone::ShipmentException),
    code("Exception_Other", Milestone::ShipmentException),
    code("Exception_Returning", Milestone::ShipmentReturning),
    code("Exception_Returned", Milestone::ShipmentReturned),
    code("Exception_NoBody", Milestone::ShipmentException).because("consignee_not_available"),
    code("Exception_Security", Milestone::ShipmentException).because("customs_inspection"),
    code("Exception_Damage", Milestone::ShipmentDamaged),
    code("Exception_Rejected", Milestone::ShipmentException).because("consignee_refused"),
    code("Exception_Delayed", Milestone::ShipmentException).because("carrier_delay"),
    code("Exception_Lost", Milestone::ShipmentLost),
    code("Exception_Destroyed", Milestone::ShipmentLost).because("carrier_disposed"),
    code("Exception_Cancel", Milestone::OrderCancelled),
    code("Expired", Milestone::InfoIgnored),
    code("Expired_Other", Milestone::InfoIgnored),
    code("TRACKING_STOPPED", Milestone::InfoIgnored),
];

/// The finer word first; one that is in no table falls back to the coarser, and to what it begins with.
fn said(record: &Record<'_>, words: [Option<String>; 2]) -> Option<(Meaning, String)> {
    let [fine, coarse] = words;
    let begin = fine.as_deref().and_then(|word| Some(word.split_once('_')?.0.to_owned()));
    let words = [fine, coarse, begin].into_iter().flatten();
    let mut read = words.map(|word| (meaning(TABLE, record, &word), word));
    let first = read.next()?;
    Some(if first.0.is_unknown() {
        read.find(|(said, _)| !said.is_unknown()).unwrap_or(first)
    } else {
        first
    })
}

/// Where the carrier's clock has no zone, its time stands in parts alone.
fn moment(doc: Doc<'_>, record: &Record<'_>) -> Option<Result<When, Refusal>> {
    let raw = || {
        let raw = doc.at("time_raw");
        let (clock, zone) = (raw.text("time"), raw.text("timezone").unwrap_or_default());
        let word = zone.starts_with(|first: char| first.is_ascii_alphabetic()) && zone != "Z";
        let zone = if word { format!(" {zone}") } else { zone };
        let clock = clock.unwrap_or_else(|| "00:00:00".to_owned());
        Some(format!("{}T{clock}{zone}", raw.text("date")?))
    };
    let told = doc.any(&["time_utc", "time_iso"]).or_else(raw);
    told.map(|text| when(&text, record.zone))
}

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    let value = parse(record.value)?;
    let whole = Doc::of(&value);
    let data = if whole.at("data").is_there() { whole.at("data") } else { whole };
    // Another app's news.
    if whole.text("event").is_some_and(|event| !event.starts_with("TRACKING_")) {
        return Ok(Vec::new());
    }
    let number = data.need("number")?;
    let block = |name: &str| {
        let inside = data.at("track_info").at(name);
        if inside.is_there() { inside } else { data.at(name) }
    };
    // What the shop wrote there may be anything; only an order number counts as one.
    let noted = ["tag", "param"].into_iter().find(|field| {
        data.text(field).is_some_and(|text| order(text.trim_start_matches('#')).is_ok())
    });
    let order = record.order(data, noted.as_slice(), Some(tracking_alias(&number)))?;
    let mut stops = Vec::new();
    for event in block("tracking").each("providers").flat_map(|p| p.each("events")) {
        let words = [event.text("sub_status"), event.text("stage")];
        // A scan that is no milestone of theirs still says that the parcel moves.
        let Some((said, code)) = said(record, words) else { continue };
        let Some(Ok(when)) = moment(event, record) else { continue };
        let (location, note) = (event.text("location"), event.text("description"));
        stops.push(Stop { said, code, when, location, note });
    }
    let state = state(record, whole, block("latest_status"), block("latest_event"))?;
    let first = block("tracking").at("providers.0.provider");
    let carrier = first.any(&["alias", "name"]);
    let parcel =
        Parcel { source: SOURCE.name, carrier, number, order, received_at: record.received_at };
    let mut drafts = parcel.drafts(stops, state);
    let expected = block("time_metrics").at("estimated_delivery_date");
    let end = |one: &str, other: &str| expected.any(&[one, other]);
    let range = end("from", "to").zip(end("to", "from"));
    let range = range.and_then(|(from, to)| days(&from, &to, record.zone));
    drafts.extend(parcel.expected(range, When::receipt(record.received_at)));
    Ok(drafts)
}

fn state(
    record: &Record<'_>,
    whole: Doc<'_>,
    status: Doc<'_>,
    newest: Doc<'_>,
) -> Result<Option<Stop>, Refusal> {
    let stopped = whole.text("event").filter(|event| event == "TRACKING_STOPPED");
    let words = [status.text("sub_status").or(stopped), status.text("status")];
    let Some((said, code)) = said(record, words) else {
        return Err(Refusal::Shape("`latest_status` is missing".to_owned()));
    };
    // A clock that cannot be read hides no state.
    let when = moment(newest, record).and_then(Result::ok);
    let when = when.unwrap_or(When::receipt(record.received_at));
    let (location, note) = (newest.text("location"), newest.text("description"));
    Ok(Some(Stop { said, code, when, location, note }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::OrderRef;
    use crate::source::tests::read_all;

    const BLOCKS: &str = r#""latest_status":{"status":"Delivered","sub_status":"Delivered_Other"},
        "latest_event":{"time_iso":"2026-11-24T16:35:22+07:00","time_utc":"2026-11-24T09:35:22Z","location":"Đà Nẵng"},
        "tracking":{"providers":[{"provider":{"alias":"GHN"},"events":[
          {"time_utc":"2026-11-23T01:00:00Z","stage":null,"sub_status":"InTransit_PickedUp","location":"Hà Nội"},
          {"time_utc":"2026-11-23T09:00:00Z","stage":null}]}]}"#;

    #[test]
    fn both_nestings_say_the_same() {
        let inside = format!(
            r#"{{"event":"TRACKING_UPDATED","data":{{"number":"LP9","tag":"T-9","track_info":{{{BLOCKS}}}}}}}"#
        );
        let beside = format!(
            r#"{{"event":"TRACKING_UPDATED","data":{{"number":"LP9","tag":"T-9","track_info":{{}},{BLOCKS}}}}}"#
        );
        let drafts = read_all("17track", &inside);
        assert_eq!(drafts, read_all("17track", &beside));
        let codes: Vec<&str> = drafts.iter().map(|d| d.milestone.code()).collect();
        assert_eq!(codes, ["shipment.handed_over", "shipment.delivered"]);
        assert_eq!(drafts[0].order, OrderRef::Order("T-9".parse().unwrap()));
    }

    #[test]
    fn another_apps_news_says_nothing_and_a_clock_that_cannot_be_read_hides_no_state() {
        let other = r#"{"event":"AWB_UPDATED","data":{"awb":"1"}}"#;
        assert!(read_all("17track", other).is_empty());
        let told = |clock: &str| {
            let hook = format!(
                r#"{{"event":"TRACKING_UPDATED","data":{{"number":"LP9","track_info":{{"latest_status":{{"status":"Delivered"}},
                "latest_event":{{"time_raw":{{"date":"2026-11-24","time":"10:00:00","timezone":"{clock}"}}}}}}}}}}"#
            );
            let draft = read_all("17track", &hook).remove(0);
            assert_eq!(draft.milestone, Milestone::ShipmentDelivered);
            draft.time.to_rfc3339()
        };
        assert_eq!(told("UTC"), "2026-11-24T10:00:00+00:00");
        assert_ne!(told("nowhere"), told("UTC"), "the receipt");
    }

    #[test]
    fn a_new_sub_status_is_what_it_begins_with_and_a_clock_without_a_zone_is_read() {
        let hook = r#"{"data":{"number":"LP9","track_info":{"latest_status":{"status":"Delivered","sub_status":"Delivered_Other"},
            "latest_event":{"time_iso":null,"time_raw":{"date":"2026-11-24","time":"10:00:00","timezone":null}},
            "tracking":{"providers":[{"events":[
              {"time_utc":null,"time_raw":{"date":"2026-11-24","time":"10:00:00","timezone":null},"sub_status":"Delivered_Other"},
              {"time_raw":{"date":"2026-11-24","time":"10:00:00","timezone":"+08:00"},"stage":null,"sub_status":"InTransit_Sorted"},
              {"time_utc":"2026-11-24T10:00:00Z","sub_status":"OutForDelivery_Other"}]}]}}}}"#;
        let told: Vec<(&str, String)> = read_all("17track", hook)
            .iter()
            .map(|draft| (draft.milestone.code(), draft.time.format("%H:%M").to_string()))
            .collect();
        let told: Vec<(&str, &str)> = told.iter().map(|(code, at)| (*code, at.as_str())).collect();
        assert_eq!(
            told,
            [
                ("shipment.in_transit", "02:00"),
                ("shipment.out_for_delivery", "10:00"),
                ("shipment.delivered", "10:00")
            ]
        );
    }

    #[test]
    fn a_tag_that_is_no_order_number_is_none() {
        let hook = format!(
            r#"{{"data":{{"number":"LP9","tag":"a gift for Lan","track_info":{{{BLOCKS}}}}}}}"#
        );
        assert_eq!(read_all("17track", &hook)[0].order, OrderRef::Alias("tracking:LP9".into()));
        let noted = hook.replace("\"track_info\"", "\"param\":\"T-9\",\"track_info\"");
        assert_eq!(read_all("17track", &noted)[0].order, OrderRef::Order("T-9".parse().unwrap()));
        let stopped = r#"{"event":"TRACKING_STOPPED","data":{"number":"LP9"}}"#;
        assert_eq!(read_all("17track", stopped)[0].milestone, Milestone::InfoIgnored);
    }
}
