//! Fulfilments, and what happens to them.

use super::{SOURCE, TABLE, at, belongs};
use crate::draft::{Draft, OrderRef, tracking_alias};
use crate::reject::Refusal;
use crate::source::doc::Doc;
use crate::source::field::hashed_id;
use crate::source::record::Record;
use crate::source::table::{Meaning, meaning};
use crate::source::time::{When, expected};
use chrono_tz::UTC;
use contract::milestone::Milestone;

pub(super) fn fulfilment(
    record: &Record<'_>,
    doc: Doc<'_>,
    order: OrderRef,
) -> Result<Draft, Refusal> {
    let id = doc.need("id")?;
    let updated = at(doc, &["updated_at", "created_at"])?;
    let status = doc.text("status").unwrap_or_else(|| "success".to_owned());
    // One that was called off, or failed, is that, whatever was scanned before.
    let off = matches!(status.as_str(), "cancelled" | "error" | "failure");
    let own = doc.text("shipment_status").filter(|_| !off);
    let code = own.unwrap_or_else(|| format!("status {status}"));
    // The tracking may be told within the second.
    let told = doc.text("tracking_number").unwrap_or_default();
    let event = hashed_id(&[&id, &code, &updated.at.to_rfc3339(), &told]);
    let mut draft = meaning(TABLE, record, &code).draft(SOURCE.name, event, updated, order);
    draft.data.restates = true;
    let carrier = doc.text("tracking_company").unwrap_or_else(|| SOURCE.name.to_owned());
    let numbers = doc.each("tracking_numbers").filter_map(|n| n.value().as_str());
    let numbers: Vec<String> = numbers.map(str::to_owned).collect();
    let number = doc.text("tracking_number").or_else(|| numbers.first().cloned());
    draft.parcel(&carrier.to_lowercase(), number);
    // What leaves in several boxes has a number for each.
    for number in &numbers {
        draft.reveal(tracking_alias(number));
    }
    draft.data.shipment = Some(id);
    draft.data.lines = doc.each("line_items").filter_map(|line| line.text("id")).collect();
    Ok(draft)
}

pub(super) fn parcel_event(record: &Record<'_>, doc: Doc<'_>) -> Result<Vec<Draft>, Refusal> {
    let id = doc.need("id")?;
    if record.header("x-shopify-topic") == Some("fulfillment_events/delete") {
        return Ok(vec![taken_back(record, id, belongs(doc, record)?)]);
    }
    let (status, happened) = (doc.need("status")?, at(doc, &["happened_at", "created_at"])?);
    let mut draft =
        meaning(TABLE, record, &status).draft(SOURCE.name, id, happened, belongs(doc, record)?);
    let parts = [doc.text("city"), doc.text("province"), doc.text("country")];
    let place = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    draft.data.location = Some(place).filter(|place| !place.is_empty());
    draft.data.shipment = doc.text("fulfillment_id");
    draft.data.note = doc.text("message");
    draft.expect(doc.text("estimated_delivery_at").and_then(|text| expected(&text, UTC)));
    Ok(vec![draft])
}

/// An event that was deleted did not happen.
fn taken_back(record: &Record<'_>, id: String, order: OrderRef) -> Draft {
    let said = Meaning::plain(Milestone::InfoIgnored);
    let when = When::sure(record.received_at);
    let mut draft = said.draft(SOURCE.name, format!("{id}:deleted"), when, order);
    draft.data.corrects = Some(id);
    draft
}
