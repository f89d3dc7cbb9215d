//! `source.easypost`: EasyPost's tracker events. It knows no order: the parcel names it.

use super::journey::{Parcel, Stop, first_is_hand_over};
use crate::draft::{Draft, tracking_alias};
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse};
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, Meaning, code, meaning};
use crate::source::time::{When, expected, when};
use chrono_tz::UTC;
use contract::milestone::Milestone;

pub(in crate::source) const SOURCE: Source = Source {
    name: "easypost",
    about: "EasyPost: status of every tracking detail, and of the tracker (the first in_transit is the hand-over); a detail that says more comes first",
    order: "the parcel (`result.tracking_code`)",
    time: "`tracking_details[].datetime`, ISO 8601",
    zone: UTC,
    table: TABLE,
    read,
};

const TABLE: &[Code] = &[
    code("unknown", Milestone::InfoIgnored),
    code("pre_transit", Milestone::ShipmentLabelCreated),
    code("in_transit", Milestone::ShipmentInTransit),
    code("out_for_delivery", Milestone::ShipmentOutForDelivery),
    code("delivered", Milestone::ShipmentDelivered),
    code("available_for_pickup", Milestone::ShipmentAvailableForPickup).back(),
    code("return_to_sender", Milestone::ShipmentReturning),
    code("failure", Milestone::ShipmentException),
    code("cancelled", Milestone::OrderCancelled),
    code("error", Milestone::InfoIgnored),
    code("failure damaged", Milestone::ShipmentDamaged),
    code("failure lost", Milestone::ShipmentLost),
    code("failure refused", Milestone::ShipmentAttemptFailed).because("consignee_refused"),
    code("failure weather_delay", Milestone::ShipmentException).because("weather_delay"),
    code("failure address_correction", Milestone::ShipmentException)
        .because("consignee_incorrect_address"),
];

/// The status, or the status with its detail where that says more.
fn said(record: &Record<'_>, doc: Doc<'_>) -> Option<(Meaning, String)> {
    let status = doc.text("status")?;
    let fine = doc.text("status_detail").map(|detail| format!("{status} {detail}"));
    let fine = fine.map(|fine| (meaning(TABLE, record, &fine), fine));
    let fine = fine.filter(|(said, _)| !said.is_unknown());
    Some(fine.unwrap_or_else(|| (meaning(TABLE, record, &status), status)))
}

fn place(point: Doc<'_>) -> Option<String> {
    let parts = ["city", "state", "country"];
    let named: Vec<String> =
        parts.iter().filter_map(|part| point.at("tracking_location").text(part)).collect();
    (!named.is_empty()).then(|| named.join(", "))
}

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    let value = parse(record.value)?;
    let whole = Doc::of(&value);
    let doc = if whole.at("result").is_there() { whole.at("result") } else { whole };
    // Insurances, batches, forms and payments have statuses too, and some a parcel's number.
    let other = doc.text("object").is_some_and(|object| object != "Tracker");
    if other || whole.text("description").is_some_and(|said| !said.starts_with("tracker.")) {
        return Ok(Vec::new());
    }
    let number = doc.need("tracking_code")?;
    let order = record.order(doc, &[], Some(tracking_alias(&number)))?;
    let mut stops = Vec::new();
    for point in doc.each("tracking_details") {
        let Some((said, code)) = said(record, point) else { continue };
        // One that cannot be read spoils no other.
        let told = point.text("datetime").and_then(|text| when(&text, record.zone).ok());
        let Some(when) = told else { continue };
        stops.push(Stop { said, code, when, location: place(point), note: point.text("message") });
    }
    first_is_hand_over(&mut stops);
    let (state, code) =
        said(record, doc).ok_or_else(|| Refusal::Shape("`status` is missing".to_owned()))?;
    let updated = doc.any(&["updated_at", "created_at"]);
    let updated = updated.map_or(Ok(When::receipt(record.received_at)), |t| when(&t, UTC))?;
    let returns = doc.flag("is_return");
    for stop in &mut stops {
        stop.said = stop.said.clone().of_return(returns);
    }
    let state =
        Stop { said: state.of_return(returns), code, when: updated, location: None, note: None };
    let parcel = Parcel {
        source: SOURCE.name,
        carrier: doc.text("carrier"),
        number,
        order,
        received_at: record.received_at,
    };
    let mut drafts = parcel.drafts(stops, Some(state));
    let eta = doc.text("est_delivery_date").filter(|_| !returns);
    let eta = eta.and_then(|text| expected(&text, record.zone));
    drafts.extend(parcel.expected(eta, updated));
    Ok(drafts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::OrderRef;
    use crate::source::tests::read_all;

    #[test]
    fn the_first_scan_on_the_way_is_the_hand_over() {
        let hook = r#"{"id":"evt_7","description":"tracker.updated","result":{"tracking_code":"EZ77","carrier":"FedEx","status":"delivered",
            "est_delivery_date":"2026-11-25T00:00:00Z","updated_at":"2026-11-24T10:00:00Z","tracking_details":[
            {"status":"delivered","datetime":"2026-11-24T09:00:00Z","message":"Left at door"},
            {"status":"in_transit","datetime":"2026-11-23T01:00:00Z","tracking_location":{"city":"Huế","country":"VN"}},
            {"status":"in_transit","datetime":"2026-11-22T19:27:00Z"},
            {"status":"pre_transit","datetime":"2026-11-22T15:00:00Z"}]}}"#;
        let drafts = read_all("easypost", hook);
        let codes: Vec<&str> = drafts.iter().map(|d| d.milestone.code()).collect();
        assert_eq!(
            codes,
            [
                "shipment.label_created",
                "shipment.handed_over",
                "shipment.in_transit",
                "shipment.delivered",
                "eta.revised"
            ]
        );
        assert_eq!(drafts[2].data.location.as_deref(), Some("Huế, VN"));
        assert!(drafts.iter().all(|d| d.order == OrderRef::Alias("tracking:EZ77".into())));
    }

    #[test]
    fn a_delivery_before_the_last_scan_is_one_delivery() {
        let hook = r#"{"tracking_code":"EZ79","status":"delivered","updated_at":"2026-11-24T12:30:00Z","tracking_details":[
            {"status":"delivered","datetime":"2026-11-24T10:00:00Z"},
            {"status":"in_transit","datetime":"2026-11-24T11:00:00Z"}]}"#;
        let drafts = read_all("easypost", hook);
        let delivered = drafts.iter().filter(|d| d.milestone == Milestone::ShipmentDelivered);
        let times: Vec<String> = delivered.map(|draft| draft.time.to_rfc3339()).collect();
        assert_eq!(times, ["2026-11-24T10:00:00+00:00"]);
    }

    #[test]
    fn a_tracker_without_details_says_its_status() {
        let hook = r#"{"tracking_code":"EZ78","status":"failure","status_detail":"lost","updated_at":"2026-11-24T10:00:00Z"}"#;
        assert_eq!(read_all("easypost", hook)[0].milestone, Milestone::ShipmentLost);
    }

    #[test]
    fn an_insurance_that_is_cancelled_cancels_no_parcel() {
        let hook = r#"{"description":"insurance.cancelled","result":{"object":"Insurance","tracking_code":"EZ81","status":"cancelled"}}"#;
        assert!(read_all("easypost", hook).is_empty());
        assert!(read_all("easypost", r#"{"description":"payment.completed"}"#).is_empty());
        let bare = r#"{"object":"Insurance","tracking_code":"EZ81","status":"cancelled"}"#;
        assert!(read_all("easypost", bare).is_empty());
    }

    #[test]
    fn what_goes_back_to_the_shop_is_not_delivered() {
        let hook = r#"{"description":"tracker.updated","result":{"object":"Tracker","tracking_code":"EZ82","is_return":true,
            "status":"delivered","updated_at":"2026-11-24T10:00:00Z","est_delivery_date":"2026-11-25T00:00:00Z","tracking_details":[
            {"status":"pre_transit","datetime":"2026-11-22T09:00:00Z"},{"status":"in_transit","datetime":"2026-11-23T09:00:00Z"}]}}"#;
        let drafts = read_all("easypost", hook);
        let codes: Vec<&str> = drafts.iter().map(|draft| draft.milestone.code()).collect();
        assert_eq!(codes, ["info.ignored", "shipment.returning", "shipment.returned"]);
    }

    #[test]
    fn one_detail_that_cannot_be_read_spoils_no_journey() {
        let hook = r#"{"tracking_code":"EZ79","status":"delivered","updated_at":"2026-11-24T10:00:00Z","tracking_details":[
            {"status":"in_transit","datetime":"yesterday"},{"status":"in_transit","datetime":"1970-01-01T00:00:00Z"},
            {"status":"delivered","datetime":"2026-11-24T09:00:00Z"}]}"#;
        let codes: Vec<&str> =
            read_all("easypost", hook).iter().map(|d| d.milestone.code()).collect();
        assert_eq!(codes, ["shipment.delivered"]);
    }

    #[test]
    fn the_hand_over_is_the_same_however_much_is_known_of_the_journey() {
        let hook = |details: &str| {
            format!(
                r#"{{"tracking_code":"EZ80","status":"in_transit","updated_at":"2026-11-24T10:00:00Z","tracking_details":[{details}]}}"#
            )
        };
        let (first, second) = (
            r#"{"status":"in_transit","datetime":"2026-11-22T09:00:00Z"}"#,
            r#"{"status":"in_transit","datetime":"2026-11-23T09:00:00Z"}"#,
        );
        let told = |details: &str| -> std::collections::BTreeSet<(String, &'static str)> {
            read_all("easypost", &hook(details))
                .iter()
                .map(|d| (d.id.clone(), d.milestone.code()))
                .collect()
        };
        let (late, whole) = (told(second), told(&format!("{first},{second}")));
        // One id never means two things.
        for (id, code) in &late {
            assert!(whole.iter().all(|(other, said)| other != id || said == code));
        }
        assert_eq!(late.len(), 1);
    }
}
