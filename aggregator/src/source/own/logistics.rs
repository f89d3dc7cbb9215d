//! `source.logistics`: any carrier, through the shop's own hub. The entry's source is the carrier.

use crate::draft::{Draft, OrderRef, tracking_alias};
use crate::reject::Refusal;
use crate::source::field::{filled, json, order};
use crate::source::spec::Source;
use crate::source::table::{Code, code, strict};
use crate::source::time::seconds;
use chrono_tz::UTC;
use contract::event::EtaRange;
use contract::milestone::Milestone;
use serde::Deserialize;

#[derive(Deserialize)]
struct Scan {
    id: String,
    #[serde(default)]
    carrier: Option<String>,
    #[serde(default)]
    tracking_number: Option<String>,
    code: String,
    ts: i64,
    #[serde(default)]
    location: Option<Location>,
    #[serde(default)]
    eta: Option<EtaRange>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    note: Option<String>,
    #[serde(default)]
    order_ref: Option<String>,
    #[serde(default)]
    corrects: Option<String>,
}

#[derive(Deserialize)]
struct Location {
    #[serde(default)]
    name: Option<String>,
}

/// The shop's logistics hub.
pub(in crate::source) const SOURCE: Source = Source {
    name: "logistics",
    about: "any carrier, through the shop's own hub; the entry's source is the carrier",
    order: "`order_ref`, else the parcel (`tracking_number`)",
    time: "`ts`, Unix seconds",
    zone: UTC,
    table: TABLE,
    read: |record| read(record.value),
};

const TABLE: &[Code] = &[
    code("label_created", Milestone::ShipmentLabelCreated),
    code("pickup_failed", Milestone::ShipmentPickupFailed),
    code("handed_over", Milestone::ShipmentHandedOver),
    code("in_transit", Milestone::ShipmentInTransit),
    code("available_for_pickup", Milestone::ShipmentAvailableForPickup),
    code("out_for_delivery", Milestone::ShipmentOutForDelivery),
    code("attempt_failed", Milestone::ShipmentAttemptFailed),
    code("delivered", Milestone::ShipmentDelivered),
    code("return_pending", Milestone::ShipmentReturnPending),
    code("returning", Milestone::ShipmentReturning),
    code("exception", Milestone::ShipmentException),
    code("damaged", Milestone::ShipmentDamaged),
    code("lost", Milestone::ShipmentLost),
    code("returned", Milestone::ShipmentReturned),
    code("eta_revised", Milestone::EtaRevised),
];

fn read(value: &[u8]) -> Result<Vec<Draft>, Refusal> {
    let scan: Scan = json(value)?;
    let milestone = strict(TABLE, &scan.code)?.milestone;
    let tracking = filled(scan.tracking_number);
    let named = filled(scan.order_ref);
    let order = match (&named, &tracking) {
        (Some(text), _) => order(text)?,
        (None, Some(number)) => OrderRef::Alias(tracking_alias(number)),
        (None, None) => {
            return Err(Refusal::BadId("neither tracking number nor order".to_owned()));
        }
    };
    let carrier = filled(scan.carrier);
    let source = carrier.clone().unwrap_or_else(|| "logistics".to_owned());
    let mut draft = Draft::new(&source, scan.id, milestone, seconds(scan.ts)?.at, order);
    if named.is_some() {
        draft.reveals = tracking.iter().map(|n| tracking_alias(n)).collect();
    }
    if scan.eta.is_some_and(|eta| eta.earliest > eta.latest) {
        return Err(Refusal::BadTime("the ETA ends before it begins".to_owned()));
    }
    draft.data.carrier = carrier;
    draft.data.tracking_number = tracking;
    draft.data.location = scan.location.and_then(|l| filled(l.name));
    draft.expect(scan.eta.map(Into::into));
    draft.data.reason = filled(scan.reason);
    draft.data.note = filled(scan.note);
    draft.data.corrects = filled(scan.corrects);
    Ok(vec![draft])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_names_its_order_by_tracking_number() {
        let record = r#"{"id":"lg-1","carrier":"ghn","tracking_number":"GHNX","code":"out_for_delivery",
            "ts":1795312800,"location":{"name":"Kho Hải Châu"},"eta":null,"reason":null,"order_ref":null}"#;
        let draft = &read(record.as_bytes()).unwrap()[0];
        assert_eq!(
            (draft.source.as_str(), draft.milestone.code()),
            ("ghn", "shipment.out_for_delivery")
        );
        assert_eq!(draft.order, OrderRef::Alias("tracking:GHNX".into()));
    }

    #[test]
    fn a_code_outside_the_milestones_is_refused() {
        let record = r#"{"id":"lg-1","carrier":"ghn","tracking_number":"GHNX","code":"teleported","ts":1795312800}"#;
        assert_eq!(read(record.as_bytes()).unwrap_err().label(), "unknown_status");
    }
}
