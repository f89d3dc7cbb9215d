//! `source.shippo`: Shippo's `track_updated`. Out for delivery, a failed attempt and a pick-up
//! point all have the status TRANSIT: the substatus says which.

use super::journey::{Parcel, Stop, first_is_hand_over};
use crate::draft::{Draft, tracking_alias};
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse};
use crate::source::field::order;
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, Meaning, code, meaning};
use crate::source::time::{When, expected, when};
use chrono_tz::UTC;
use contract::milestone::Milestone;

pub(in crate::source) const SOURCE: Source = Source {
    name: "shippo",
    about: "Shippo: substatus where it is one of the status, else the status, of every entry of the history, and of the whole (the first scan on the way is the hand-over); a transaction with SUCCESS is a label, whose `tracking_status` says if its parcel is there, in trouble or goes back",
    order: "`data.metadata` where it is an order number (`Order TM-1042` too); else the parcel (`data.tracking_number`)",
    time: "`status_date`, ISO 8601",
    zone: UTC,
    table: TABLE,
    read,
};

const TABLE: &[Code] = &[
    code("PRE_TRANSIT", Milestone::ShipmentLabelCreated),
    code("information_received", Milestone::ShipmentLabelCreated),
    code("TRANSIT", Milestone::ShipmentInTransit),
    code("address_issue", Milestone::ShipmentException).because("consignee_incorrect_address"),
    code("contact_carrier", Milestone::ShipmentException),
    code("delayed", Milestone::DelayWarning).because("carrier_delay"),
    code("delivery_attempted", Milestone::ShipmentAttemptFailed),
    code("delivery_rescheduled", Milestone::ShipmentInTransit),
    code("delivery_scheduled", Milestone::ShipmentInTransit),
    code("location_inaccessible", Milestone::ShipmentAttemptFailed)
        .because("consignee_access_restricted"),
    code("notice_left", Milestone::ShipmentAttemptFailed).because("consignee_not_home"),
    code("out_for_delivery", Milestone::ShipmentOutForDelivery),
    code("package_accepted", Milestone::ShipmentHandedOver),
    code("package_arrived", Milestone::ShipmentInTransit),
    code("package_damaged", Milestone::ShipmentDamaged),
    code("package_departed", Milestone::ShipmentInTransit),
    code("package_forwarded", Milestone::ShipmentInTransit),
    code("package_held", Milestone::ShipmentException),
    code("package_processed", Milestone::ShipmentInTransit),
    code("package_processing", Milestone::ShipmentInTransit),
    code("pickup_available", Milestone::ShipmentAvailableForPickup).back(),
    code("reschedule_delivery", Milestone::ShipmentAttemptFailed),
    code("DELIVERED", Milestone::ShipmentDelivered),
    code("delivered", Milestone::ShipmentDelivered),
    code("RETURNED", Milestone::ShipmentReturning),
    code("return_to_sender", Milestone::ShipmentReturning),
    code("package_unclaimed", Milestone::ShipmentReturning).because("consignee_unclaimed"),
    code("FAILURE", Milestone::ShipmentException),
    code("package_undeliverable", Milestone::ShipmentException),
    code("package_disposed", Milestone::ShipmentLost).because("carrier_disposed"),
    code("package_lost", Milestone::ShipmentLost),
    // Of a transaction.
    code("SUCCESS", Milestone::ShipmentLabelCreated),
    code("REFUNDED", Milestone::OrderCancelled),
    code("REFUNDPENDING", Milestone::InfoIgnored),
    code("REFUNDREJECTED", Milestone::InfoIgnored),
    code("UNKNOWN", Milestone::InfoIgnored),
    code("other", Milestone::InfoIgnored),
];

/// The substatus as it is (a text in older records) if it says more than the status; else the status.
fn said(record: &Record<'_>, doc: Doc<'_>) -> Option<(Meaning, String)> {
    let (status, fine) = (doc.text("status"), doc.any(&["substatus.code", "substatus"]));
    let fine = fine.filter(|code| code != "other" && fits(status.as_deref(), code));
    let fine = fine.map(|code| (meaning(TABLE, record, &code), code));
    fine.filter(|(said, _)| !said.is_unknown()).or_else(|| {
        let status = status?;
        Some((meaning(TABLE, record, &status), status))
    })
}

/// Is the substatus one of this status? (Their own example of a delivery says `information_received`.) What
/// went wrong on the way may be why it failed.
fn fits(status: Option<&str>, fine: &str) -> bool {
    let of = match fine {
        "information_received" => "PRE_TRANSIT",
        "delivered" => "DELIVERED",
        "return_to_sender" | "package_unclaimed" => "RETURNED",
        "package_undeliverable" | "package_disposed" | "package_lost" => "FAILURE",
        _ => "TRANSIT",
    };
    status.is_none_or(|status| status == of || (status, of) == ("FAILURE", "TRANSIT"))
}

fn stop(record: &Record<'_>, doc: Doc<'_>) -> Result<Option<Stop>, Refusal> {
    let Some((said, code)) = said(record, doc) else { return Ok(None) };
    let when = doc
        .any(&["status_date", "object_updated", "object_created"])
        .map_or(Ok(When::receipt(record.received_at)), |t| when(&t, record.zone))?;
    let parts = ["location.city", "location.state", "location.country"];
    let named: Vec<String> = parts.iter().filter_map(|part| doc.text(part)).collect();
    let location = (!named.is_empty()).then(|| named.join(", "));
    Ok(Some(Stop { said, code, when, location, note: doc.text("status_details") }))
}

/// A parcel of which nothing is known yet.
fn unknown(record: &Record<'_>, data: Doc<'_>) -> Option<Stop> {
    let code = data.value().get("tracking_status").map(|_| "UNKNOWN".to_owned())?;
    let (said, when) = (meaning(TABLE, record, &code), When::receipt(record.received_at));
    Some(Stop { said, code, when, location: None, note: None })
}

/// A label, and how its parcel ended or why it will not arrive. (That it is under way would hide what the tracker
/// tells of the same moment: a failed attempt has that status too.) What became of its price came later than the
/// label.
fn of_transaction(record: &Record<'_>, data: Doc<'_>) -> Result<[Option<Stop>; 2], Refusal> {
    let Some(label) = stop(record, data)? else { return Ok([None, None]) };
    if label.said.milestone != Milestone::ShipmentLabelCreated {
        return Ok([None, Some(label)]);
    }
    let when_made = data.text("object_created").map(|text| when(&text, record.zone));
    let made = Stop { when: when_made.transpose()?.unwrap_or(label.when), ..label };
    let moved = match data.text("tracking_status") {
        Some(code) => Some((meaning(TABLE, record, &code), code)),
        None => said(record, data.at("tracking_status")),
    };
    let moved = moved.filter(|(said, _)| {
        said.milestone.is_problem() || said.milestone.goes_back() || said.milestone.is_terminal()
    });
    let state =
        moved.map(|(said, code)| Stop { said, code, when: label.when, location: None, note: None });
    Ok([Some(made), state])
}

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    let value = parse(record.value)?;
    let whole = Doc::of(&value);
    let data = if whole.at("data").is_there() { whole.at("data") } else { whole };
    // A label that is not made yet has no number, and says nothing.
    let event = whole.text("event").unwrap_or_default();
    let transaction = event.starts_with("transaction_");
    let of_parcels = transaction || event.is_empty() || event.starts_with("track_");
    if !of_parcels || transaction && data.text("tracking_number").is_none() {
        return Ok(Vec::new());
    }
    let number = data.need("tracking_number")?;
    let alias = tracking_alias(&number);
    let noted = data.text("metadata");
    let prefixes = ["Order ID ", "Order "];
    let bare = |text: &str| prefixes.iter().find_map(|p| text.strip_prefix(p)).map(str::to_owned);
    let noted = noted.map(|text| bare(&text).unwrap_or(text));
    let noted = noted.and_then(|text| order(text.trim_start_matches('#')).ok());
    let order = match noted {
        Some(order) if record.options.order.is_none() => order,
        _ => record.order(data, &[], Some(alias))?,
    };
    let mut stops = Vec::new();
    for entry in data.each("tracking_history") {
        // One that cannot be read spoils no other.
        stops.extend(stop(record, entry).ok().flatten());
    }
    first_is_hand_over(&mut stops);
    let state = if transaction {
        let [label, state] = of_transaction(record, data)?;
        stops.extend(label);
        state
    } else {
        stop(record, data.at("tracking_status"))?.or_else(|| unknown(record, data))
    };
    if stops.is_empty() && state.is_none() {
        return Err(Refusal::Shape("`tracking_status` is missing".to_owned()));
    }
    let parcel = Parcel {
        source: SOURCE.name,
        carrier: data.text("carrier"),
        number,
        order,
        received_at: record.received_at,
    };
    let no_more = state.as_ref().is_some_and(|s| s.said.milestone == Milestone::OrderCancelled);
    let mut drafts = parcel.drafts(stops, state);
    let eta = data.text("eta").filter(|_| !no_more);
    let eta = eta.and_then(|text| expected(&text, record.zone));
    drafts.extend(parcel.expected(eta, When::receipt(record.received_at)));
    Ok(drafts)
}

#[cfg(test)]
mod tests {
    use crate::draft::OrderRef;
    use crate::source::tests::read_all;

    #[test]
    fn the_substatus_says_what_transit_means() {
        let hook = r#"{"event":"track_updated","data":{"carrier":"usps","tracking_number":"SH5","metadata":"Order T-11","eta":"2026-11-27T00:00:00Z",
            "tracking_status":{"status":"TRANSIT","substatus":{"code":"out_for_delivery","action_required":false},"status_date":"2026-11-25T08:00:00Z"},
            "tracking_history":[{"status":"TRANSIT","status_date":"2026-11-23T08:00:00Z","location":{"city":"Huế","country":"VN"}},
              {"status":"TRANSIT","substatus":{"code":"notice_left"},"status_date":"2026-11-24T08:00:00Z"}]}}"#;
        let drafts = read_all("shippo", hook);
        let codes: Vec<&str> = drafts.iter().map(|d| d.milestone.code()).collect();
        assert_eq!(
            codes,
            [
                "shipment.handed_over",
                "shipment.attempt_failed",
                "shipment.out_for_delivery",
                "eta.revised"
            ]
        );
        assert_eq!(drafts[0].order, OrderRef::Order("T-11".parse().unwrap()));
        assert!(drafts[3].data.eta.is_some());
    }

    fn codes(hook: &str) -> Vec<&'static str> {
        read_all("shippo", hook).iter().map(|draft| draft.milestone.code()).collect()
    }

    #[test]
    fn a_substatus_of_another_status_says_nothing() {
        let hook = |status: &str, fine: &str| {
            format!(
                r#"{{"event":"track_updated","data":{{"tracking_number":"SH6","tracking_status":{{"status":"{status}",
                "substatus":{{"code":"{fine}"}},"status_date":"2026-11-25T08:00:00Z"}},"tracking_history":[]}}}}"#
            )
        };
        assert_eq!(codes(&hook("DELIVERED", "information_received")), ["shipment.delivered"]);
        assert_eq!(codes(&hook("FAILURE", "package_damaged")), ["shipment.damaged"]);
    }

    #[test]
    fn a_label_is_made_and_of_some_parcels_nothing_is_known() {
        let label = |status: &str, number: &str| {
            format!(
                r#"{{"event":"transaction_created","data":{{"status":"{status}","tracking_number":{number},"tracking_status":"UNKNOWN","metadata":"Order ID #T-12"}}}}"#
            )
        };
        let made = label("SUCCESS", "\"SH7\"");
        assert_eq!(codes(&made), ["shipment.label_created"]);
        assert_eq!(read_all("shippo", &made)[0].order, OrderRef::Order("T-12".parse().unwrap()));
        assert!(codes(&label("QUEUED", "null")).is_empty());
        let delivered = made.replace("UNKNOWN", "DELIVERED");
        assert_eq!(codes(&delivered), ["shipment.label_created", "shipment.delivered"]);
        assert_eq!(codes(&made.replace("UNKNOWN", "TRANSIT")), ["shipment.label_created"]);
        let paid_back =
            label("REFUNDED", "\"SH7\"").replace("UNKNOWN\",", "UNKNOWN\",\"eta\":\"2026-11-27\",");
        assert_eq!(codes(&paid_back), ["order.cancelled"]);
        let nothing =
            r#"{"data":{"tracking_number":"SH8","tracking_status":null,"tracking_history":[]}}"#;
        assert_eq!(codes(nothing), ["info.ignored"]);
    }
}
