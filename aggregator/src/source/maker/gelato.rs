//! `source.gelato`: order, item, tracking and estimate webhooks. An order's status has no time
//! at all: then it is that of receipt.

use crate::draft::Draft;
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse};
use crate::source::field::hashed_id;
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, Meaning, code, meaning};
use crate::source::time::{When, days, when};
use chrono_tz::UTC;
use contract::milestone::{Milestone, Scope};

pub(in crate::source) const SOURCE: Source = Source {
    name: "gelato",
    about: "Gelato: order and item statuses, tracking codes, delivery estimates",
    order: "`orderReferenceId`, else the alias `gelato:<orderId>`",
    time: "`created`, ISO 8601; an order's status has none: the receipt",
    zone: UTC,
    table: TABLE,
    read,
};

const TABLE: &[Code] = &[
    code("created", Milestone::OrderConfirmed),
    code("uploading", Milestone::OrderConfirmed),
    code("draft", Milestone::InfoIgnored),
    code("pending_approval", Milestone::DesignProofPending),
    code("pending_personalization", Milestone::DesignProofPending),
    code("digitizing", Milestone::ProductionQueued),
    code("passed", Milestone::DesignProofApproved),
    code("in_production", Milestone::ProductionStarted),
    code("printed", Milestone::ProductionFinished),
    code("on_hold", Milestone::OrderOnHold).because("maker_on_hold"),
    code("not_connected", Milestone::OrderOnHold).because("maker_not_connected"),
    code("failed", Milestone::OrderOnHold).because("maker_failed"),
    code("canceled", Milestone::OrderCancelled),
    code("shipped", Milestone::ShipmentHandedOver),
    code("in_transit", Milestone::ShipmentInTransit),
    code("delivered", Milestone::ShipmentDelivered),
    code("returned", Milestone::ShipmentReturned),
    // "Triggered when an item is shipped."
    code("order_item_tracking_code_updated", Milestone::ShipmentHandedOver),
    code("order_delivery_estimate_updated", Milestone::EtaRevised),
];

/// The event; older records name the object whose status it is.
fn event(doc: Doc<'_>) -> Result<String, Refusal> {
    let of_order = doc.text("object").is_some_and(|object| object == "orderStatus");
    let older = of_order.then(|| "order_status_updated".to_owned());
    doc.text("event").or(older).map_or_else(|| doc.need("event"), Ok)
}

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    let value = parse(record.value)?;
    let doc = Doc::of(&value);
    let (id, event) = (doc.need("id")?, event(doc)?);
    if ["store_product", "catalog_product"].iter().any(|of| event.starts_with(of)) {
        return Ok(Vec::new());
    }
    let alias = doc.text("orderId").map(|number| format!("gelato:{number}"));
    let order = record.order(doc, &["orderReferenceId"], alias.clone())?;
    let created = doc.text("created").map(|text| when(&text, record.zone)).transpose()?;
    let created = created.unwrap_or(When::sure(record.received_at));
    // One id is used for events of several kinds.
    let make = |said: Meaning, part: &str, code: &str| {
        let id = hashed_id(&[&id, &event, part, code]);
        let mut draft = said.draft(SOURCE.name, id, created, order.clone());
        if let Some(alias) = &alias {
            draft.reveal(alias.clone());
        }
        draft
    };
    if event == "order_status_updated" {
        return by_item(record, doc, &make);
    }
    let code = doc.any(&["status", "fulfillmentStatus"]).unwrap_or_else(|| event.clone());
    let line = doc.text("itemReferenceId");
    let mut draft = make(meaning(TABLE, record, &code), line.as_deref().unwrap_or(""), &code);
    draft.data.note = doc.text("comment");
    if let Some(number) = doc.text("trackingCode") {
        let carrier = doc.text("shipmentMethodName").unwrap_or_else(|| SOURCE.name.to_owned());
        draft.makers_parcel(&carrier.to_lowercase(), Some(number));
        draft.data.lines = line.clone().into_iter().collect();
    }
    of_item(&mut draft, line);
    let range = doc.text("minDeliveryDate").zip(doc.text("maxDeliveryDate"));
    draft.expect(range.and_then(|(first, last)| days(&first, &last, record.zone)));
    Ok(vec![draft])
}

/// An item without a tracking number travels in a parcel of its own.
fn of_item(draft: &mut Draft, line: Option<String>) {
    let travels =
        draft.milestone.scope() == Scope::Shipment && draft.data.tracking_number.is_none();
    if let Some(line) = line.as_ref().filter(|_| travels) {
        draft.data.shipment = Some(format!("gelato-{line}"));
        draft.data.lines = vec![line.clone()];
    }
    draft.data.line = line;
}

/// An order's status is that of its items; an item may lie in several parcels.
fn by_item(
    record: &Record<'_>,
    doc: Doc<'_>,
    make: &impl Fn(Meaning, &str, &str) -> Draft,
) -> Result<Vec<Draft>, Refusal> {
    let whole = doc.need("fulfillmentStatus")?;
    let mut drafts = Vec::new();
    for (place, item) in doc.each("items").enumerate() {
        let code = item.text("fulfillmentStatus").unwrap_or_else(|| whole.clone());
        let line = item.text("itemReferenceId").unwrap_or_else(|| place.to_string());
        let parcels: Vec<Doc<'_>> =
            item.each("fulfillments").filter(|p| p.text("trackingCode").is_some()).collect();
        for parcel in &parcels {
            let number = parcel.text("trackingCode");
            let part = format!("{line} {}", number.as_deref().unwrap_or(""));
            let mut draft = make(meaning(TABLE, record, &code), &part, &code);
            let carrier = parcel.text("shipmentMethodName");
            draft.makers_parcel(
                &carrier.unwrap_or_else(|| SOURCE.name.to_owned()).to_lowercase(),
                number,
            );
            draft.data.lines = vec![line.clone()];
            drafts.push(draft);
        }
        if parcels.is_empty() {
            let mut draft = make(meaning(TABLE, record, &code), &line, &code);
            of_item(&mut draft, Some(line));
            drafts.push(draft);
        }
    }
    if drafts.is_empty() {
        drafts.push(make(meaning(TABLE, record, &whole), "", &whole));
    }
    Ok(drafts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::read_all;

    #[test]
    fn one_item_in_two_parcels_is_two_events() {
        let hook = r#"{"id":"os_1","event":"order_status_updated","orderId":"g-1","orderReferenceId":"T-40","fulfillmentStatus":"shipped",
            "items":[{"itemReferenceId":"1","fulfillmentStatus":"shipped","fulfillments":[
              {"trackingCode":"A1","shipmentMethodName":"GHN"},{"trackingCode":"A2","shipmentMethodName":"GHN"}]}]}"#;
        let drafts = read_all("gelato", hook);
        assert_eq!(drafts.len(), 2);
        assert_ne!(drafts[0].id, drafts[1].id);
        assert_eq!(drafts[1].reveals, ["gelato:g-1", "tracking:A2"]);
        assert!(drafts.iter().all(|d| d.milestone == Milestone::ShipmentHandedOver));
        let older = hook.replace(r#""event":"order_status_updated""#, r#""object":"orderStatus""#);
        assert_eq!(read_all("gelato", &older), drafts);
    }

    #[test]
    fn an_estimate_is_a_range_of_days() {
        let hook = r#"{"id":"os_2","event":"order_delivery_estimate_updated","orderReferenceId":"T-40","minDeliveryDate":"2026-11-26",
            "maxDeliveryDate":"2026-11-28","created":"2026-11-22T07:26:52+00:00"}"#;
        let draft = read_all("gelato", hook).remove(0);
        assert_eq!(draft.milestone, Milestone::EtaRevised);
        assert_eq!(draft.data.eta.unwrap().earliest.to_rfc3339(), "2026-11-26T08:00:00+00:00");
    }

    #[test]
    fn an_item_without_a_tracking_number_is_a_parcel_of_its_own() {
        let hook = r#"{"id":"is_1","event":"order_item_status_updated","itemReferenceId":"1","orderReferenceId":"T-40","status":"delivered","created":"2026-11-22T07:26:52+00:00"}"#;
        let draft = read_all("gelato", hook).remove(0);
        assert_eq!(
            (draft.data.shipment.as_deref(), draft.data.lines.as_slice()),
            (Some("gelato-1"), &["1".to_owned()][..])
        );
    }
}
