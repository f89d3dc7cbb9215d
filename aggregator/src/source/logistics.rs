//! `source.logistics`: any carrier, through the shop's own hub. The entry's source is the carrier.

use super::field::{filled, json, order, seconds};
use crate::draft::{Draft, OrderRef, tracking_alias};
use crate::reject::{Refusal, excerpt};
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

fn milestone(code: &str) -> Result<Milestone, Refusal> {
    if code == "eta_revised" {
        return Ok(Milestone::EtaRevised);
    }
    format!("shipment.{code}").parse().map_err(|_| Refusal::UnknownStatus(excerpt(code)))
}

pub(super) fn read(value: &[u8]) -> Result<Vec<Draft>, Refusal> {
    let scan: Scan = json(value)?;
    let milestone = milestone(&scan.code)?;
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
    let mut draft = Draft::new(&source, scan.id, milestone, seconds(scan.ts)?, order);
    if named.is_some() {
        draft.reveals = tracking.iter().map(|n| tracking_alias(n)).collect();
    }
    if scan.eta.is_some_and(|eta| eta.earliest > eta.latest) {
        return Err(Refusal::BadTime("the ETA ends before it begins".to_owned()));
    }
    draft.data.carrier = carrier;
    draft.data.tracking_number = tracking;
    draft.data.location = scan.location.and_then(|l| filled(l.name));
    draft.data.eta = scan.eta;
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
