//! `source.fulfilment`: the warehouse. Its times are Viet Nam's, without an offset.

use super::field::{filled, json, order, vietnam_local};
use crate::draft::{Draft, tracking_alias};
use crate::reject::{Refusal, excerpt};
use contract::milestone::Milestone;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Fulfilment {
    id: Value,
    order: String,
    status: String,
    #[serde(default)]
    parcel: Option<String>,
    #[serde(default)]
    lines: Option<Vec<Line>>,
    #[serde(default)]
    carrier: Option<String>,
    #[serde(default)]
    tracking_code: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    updated: String,
}

#[derive(Deserialize)]
struct Line {
    line: String,
}

pub(super) fn read(value: &[u8]) -> Result<Vec<Draft>, Refusal> {
    let record: Fulfilment = json(value)?;
    let milestone = match record.status.as_str() {
        "ALLOCATED" | "PICKED" => Milestone::InfoIgnored,
        "PACKED" => Milestone::FulfilmentPacked,
        "LABEL_CREATED" => Milestone::ShipmentLabelCreated,
        "HANDED_OVER" => Milestone::ShipmentHandedOver,
        "ON_HOLD" => Milestone::OrderOnHold,
        "CANCELLED" => Milestone::OrderCancelled,
        other => return Err(Refusal::UnknownStatus(excerpt(other))),
    };
    let id = match &record.id {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err(Refusal::Shape("id is a number or a text".to_owned())),
    };
    let mut draft = Draft::new(
        "fulfilment",
        id,
        milestone,
        vietnam_local(&record.updated)?,
        order(&record.order)?,
    );
    draft.data.tz_assumed = true;
    draft.data.shipment = filled(record.parcel);
    draft.data.lines = record.lines.unwrap_or_default().into_iter().map(|l| l.line).collect();
    draft.data.carrier = filled(record.carrier);
    draft.data.tracking_number = filled(record.tracking_code);
    draft.data.reason = filled(record.reason);
    draft.reveals = draft.data.tracking_number.iter().map(|n| tracking_alias(n)).collect();
    Ok(vec![draft])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_parcel_reveals_its_tracking_number() {
        let record = r#"{"id":12,"order":"T-1","status":"PACKED","parcel":"P1","lines":[{"line":"1","qty":1}],
            "carrier":"ghn","tracking_code":"GHNX","updated":"20/11/2026 16:40:05"}"#;
        let draft = &read(record.as_bytes()).unwrap()[0];
        assert_eq!(draft.milestone, Milestone::FulfilmentPacked);
        assert_eq!(draft.reveals, ["tracking:GHNX"]);
        assert!(draft.data.tz_assumed);
        assert_eq!(draft.time.to_rfc3339(), "2026-11-20T09:40:05+00:00");
    }

    #[test]
    fn a_status_that_the_warehouse_does_not_have_is_refused() {
        let record = r#"{"id":12,"order":"T-1","status":"EATEN","updated":"20/11/2026 16:40:05"}"#;
        assert_eq!(read(record.as_bytes()).unwrap_err().label(), "unknown_status");
    }
}
