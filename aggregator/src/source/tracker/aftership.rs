//! `source.aftership`: AfterShip Tracking's webhook. A checkpoint's subtag says more than its
//! tag; a subtag that is not in the table falls back to the tag.

use super::journey::{Parcel, Stop};
use crate::draft::{Draft, Expected, tracking_alias};
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse};
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, Meaning, code, meaning};
use crate::source::time::{When, days, expected, seconds, when};
use chrono_tz::UTC;
use contract::milestone::Milestone;

pub(in crate::source) const SOURCE: Source = Source {
    name: "aftership",
    about: "AfterShip Tracking: tag or subtag of every checkpoint, and of the whole",
    order: "`msg.order_number` or `msg.order_id`, else the parcel (`msg.tracking_number`)",
    time: "`checkpoint_time`, the carrier's local time, often without an offset",
    zone: UTC,
    table: TABLE,
    read,
};

const TABLE: &[Code] = &[
    code("Pending", Milestone::ShipmentLabelCreated).reported(),
    code("Pending_001", Milestone::ShipmentLabelCreated).reported(),
    code("InfoReceived", Milestone::ShipmentLabelCreated),
    code("InfoReceived_001", Milestone::ShipmentLabelCreated),
    code("InTransit", Milestone::ShipmentInTransit),
    code("InTransit_001", Milestone::ShipmentInTransit),
    code("InTransit_002", Milestone::ShipmentHandedOver),
    code("InTransit_003", Milestone::ShipmentInTransit),
    code("InTransit_004", Milestone::ShipmentInTransit),
    code("InTransit_005", Milestone::ShipmentInTransit),
    code("InTransit_006", Milestone::ShipmentInTransit),
    code("InTransit_007", Milestone::ShipmentInTransit),
    code("InTransit_008", Milestone::ShipmentInTransit),
    code("InTransit_009", Milestone::ShipmentInTransit),
    code("OutForDelivery", Milestone::ShipmentOutForDelivery),
    code("OutForDelivery_001", Milestone::ShipmentOutForDelivery),
    code("OutForDelivery_003", Milestone::ShipmentOutForDelivery),
    code("OutForDelivery_004", Milestone::ShipmentOutForDelivery),
    code("AttemptFail", Milestone::ShipmentAttemptFailed),
    code("AttemptFail_001", Milestone::ShipmentAttemptFailed),
    code("AttemptFail_002", Milestone::ShipmentAttemptFailed).because("consignee_not_available"),
    code("AttemptFail_003", Milestone::ShipmentAttemptFailed).because("consignee_business_closed"),
    code("AvailableForPickup", Milestone::ShipmentAvailableForPickup).back(),
    code("AvailableForPickup_001", Milestone::ShipmentAvailableForPickup).back(),
    code("Delivered", Milestone::ShipmentDelivered),
    code("Delivered_001", Milestone::ShipmentDelivered),
    code("Delivered_002", Milestone::ShipmentDelivered),
    code("Delivered_003", Milestone::ShipmentDelivered),
    code("Delivered_004", Milestone::ShipmentDelivered),
    code("Delivered_005", Milestone::ShipmentDelivered),
    code("Exception", Milestone::ShipmentException),
    code("Exception_001", Milestone::ShipmentException),
    code("Exception_002", Milestone::ShipmentAttemptFailed).because("consignee_moved"),
    code("Exception_003", Milestone::ShipmentAttemptFailed).because("consignee_refused"),
    code("Exception_004", Milestone::ShipmentException).because("customs_delay"),
    code("Exception_005", Milestone::ShipmentException).because("other_delay"),
    code("Exception_006", Milestone::ShipmentException).because("customs_duties_unpaid"),
    code("Exception_007", Milestone::ShipmentAttemptFailed).because("consignee_incorrect_address"),
    code("Exception_008", Milestone::ShipmentAttemptFailed).because("consignee_pickup_missed"),
    code("Exception_009", Milestone::ShipmentException).because("carrier_rejected"),
    code("Exception_010", Milestone::ShipmentReturning),
    code("Exception_011", Milestone::ShipmentReturned),
    code("Exception_012", Milestone::ShipmentDamaged),
    code("Exception_013", Milestone::ShipmentLost),
    code("Exception_016", Milestone::ShipmentException).because("carrier_delay"),
    code("Exception_017", Milestone::ShipmentException).because("weather_delay"),
    code("Exception_018", Milestone::ShipmentException).because("customs_documentation"),
    code("Exception_019", Milestone::ShipmentException).because("carrier_delay"),
    code("Exception_020", Milestone::OrderCancelled),
    code("Exception_021", Milestone::ShipmentLost).because("carrier_disposed"),
    code("Expired", Milestone::DelayWarning).because("carrier_silent"),
    code("Expired_001", Milestone::DelayWarning).because("carrier_silent"),
];

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    let value = parse(record.value)?;
    let whole = Doc::of(&value);
    let inside = ["msg", "data"].map(|name| whole.at(name)).into_iter().find(|doc| doc.is_there());
    let msg = inside.unwrap_or(whole);
    // Returns and warranties come to the same address.
    let of_trackings = |event: String| event.starts_with("tracking");
    if whole.any(&["event", "event_type"]).is_some_and(|event| !of_trackings(event))
        && msg.text("tracking_number").is_none()
    {
        return Ok(Vec::new());
    }
    let number = msg.need("tracking_number")?;
    let order = record.order(msg, &["order_number", "order_id"], Some(tracking_alias(&number)))?;
    let parcel = Parcel {
        source: SOURCE.name,
        carrier: msg.text("slug"),
        number: number.clone(),
        order,
        received_at: record.received_at,
    };
    // One that cannot be read spoils no other.
    let stops = msg.each("checkpoints").filter_map(|point| stop(record, point).ok()).collect();
    let at = updated(record, whole, msg)?;
    let mut drafts = parcel.drafts(stops, state(record, msg, at));
    drafts.extend(parcel.expected(eta(record, msg), at));
    if drafts.is_empty() {
        return Err(Refusal::Shape("neither a tag nor a checkpoint is there".to_owned()));
    }
    Ok(drafts)
}

fn said(record: &Record<'_>, doc: Doc<'_>) -> Option<(Meaning, String)> {
    let tag = doc.text("tag");
    let subtag = doc.text("subtag");
    let fine = subtag.as_deref().map(|text| meaning(TABLE, record, text));
    if let Some((fine, subtag)) = fine.filter(|fine| !fine.is_unknown()).zip(subtag.clone()) {
        return Some((fine, subtag));
    }
    let code = tag.or(subtag)?;
    Some((meaning(TABLE, record, &code), code))
}

fn stop(record: &Record<'_>, point: Doc<'_>) -> Result<Stop, Refusal> {
    let (said, code) = said(record, point)
        .ok_or_else(|| Refusal::Shape("a checkpoint has no `tag`".to_owned()))?;
    Ok(Stop {
        said,
        code,
        when: when(&point.need_any(&["checkpoint_time", "created_at"])?, record.zone)?,
        location: point.any(&["location", "city"]),
        note: point.text("message"),
    })
}

/// The whole's own state.
fn state(record: &Record<'_>, msg: Doc<'_>, when: When) -> Option<Stop> {
    let (said, code) = said(record, msg)?;
    Some(Stop { said, code, when, location: None, note: msg.text("subtag_message") })
}

/// When it was updated, else when the webhook was sent.
fn updated(record: &Record<'_>, whole: Doc<'_>, msg: Doc<'_>) -> Result<When, Refusal> {
    match (msg.any(&["last_updated_at", "updated_at"]), whole.number("ts")) {
        (Some(text), _) => when(&text, UTC),
        (None, Some(ts)) => seconds(ts),
        (None, None) => Ok(When::receipt(record.received_at)),
    }
}

/// The newest of the expectations that it keeps.
fn eta(record: &Record<'_>, msg: Doc<'_>) -> Option<Expected> {
    const KEPT: &[(&str, &str, &str, &str)] = &[
        ("latest_estimated_delivery", "datetime", "datetime_min", "datetime_max"),
        (
            "courier_estimated_delivery_date",
            "estimated_delivery_date",
            "estimated_delivery_date_min",
            "estimated_delivery_date_max",
        ),
        (
            "aftership_estimated_delivery_date",
            "estimated_delivery_date",
            "estimated_delivery_date_min",
            "estimated_delivery_date_max",
        ),
    ];
    let kept = KEPT.iter().find_map(|(place, at, first, last)| {
        let doc = msg.at(place);
        let range = doc.text(first).zip(doc.text(last));
        range
            .and_then(|(first, last)| days(&first, &last, record.zone))
            .or_else(|| expected(&doc.text(at)?, record.zone))
    });
    kept.or_else(|| expected(&msg.text("expected_delivery")?, record.zone))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::read_all;

    const HOOK: &str = r#"{"event_id":"e-1","event":"tracking_update","ts":1795312800,"msg":{"tracking_number":"9400X","slug":"usps",
        "order_number":"T-8","tag":"InTransit","subtag":"InTransit_003","updated_at":"2026-11-22T09:05:31+00:00","expected_delivery":"2026-11-26",
        "checkpoints":[
          {"tag":"InTransit","subtag":"InTransit_002","checkpoint_time":"2026-11-21T18:10:00","location":"Depot 1","message":"Accepted"},
          {"tag":"InTransit","subtag":"InTransit_003","checkpoint_time":"2026-11-22T02:25:00","location":"Depot 2","message":"Arrived"}]}}"#;

    #[test]
    fn every_checkpoint_is_an_event_and_the_state_is_not_said_twice() {
        let drafts = read_all("aftership", HOOK);
        let codes: Vec<&str> = drafts.iter().map(|d| d.milestone.code()).collect();
        assert_eq!(codes, ["shipment.handed_over", "shipment.in_transit", "eta.revised"]);
        assert!(drafts[0].data.tz_assumed && drafts[2].data.eta.is_some());
        assert_eq!(drafts[0].reveals, ["tracking:9400X"]);
    }

    #[test]
    fn a_return_says_nothing_and_the_envelope_may_be_called_data() {
        let label = r#"{"id":"e-3","event_type":"create_a_label","data":{"status":"created"}}"#;
        assert!(read_all("aftership", label).is_empty());
        let back = r#"{"id":"e-2","event":"return.approved","data":{"rma_number":"R1"}}"#;
        assert!(read_all("aftership", back).is_empty());
        let newer = HOOK.replacen(r#""msg":"#, r#""data":"#, 1);
        assert_eq!(read_all("aftership", &newer), read_all("aftership", HOOK));
    }

    #[test]
    fn a_state_that_no_checkpoint_has_is_said_as_well() {
        let returned = HOOK.replacen(
            r#""tag":"InTransit","subtag":"InTransit_003""#,
            r#""tag":"Exception","subtag":"Exception_011""#,
            1,
        );
        let drafts = read_all("aftership", &returned);
        assert_eq!(drafts[2].milestone, Milestone::ShipmentReturned);
        let new = HOOK.replace("InTransit_003", "InTransit_099");
        assert_eq!(read_all("aftership", &new)[1].milestone, Milestone::ShipmentInTransit);
    }
}
