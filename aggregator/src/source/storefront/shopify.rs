//! `source.shopify`: orders, fulfilments, fulfilment events and refunds. The webhooks' bodies
//! are bare; the REST answers of the same objects are wrapped in their name. Both are read.

use super::snapshot::{Snapshot, customer, lines};
use crate::draft::{Draft, OrderRef};
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse};
use crate::source::field::{hashed_id, money};
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, Meaning, code, meaning};
use crate::source::time::{When, expected, when};
use chrono_tz::UTC;
use contract::milestone::Milestone;

pub(in crate::source) const SOURCE: Source = Source {
    name: "shopify",
    about: "Shopify: orders, fulfilments, fulfilment events, refunds",
    order: "`name` without `#`; fulfilments, their events and refunds through the alias `shopify:<order_id>` that the order tells",
    time: "`happened_at`, `updated_at`, `cancelled_at`, `created_at`, ISO 8601 with offset",
    zone: UTC,
    table: TABLE,
    read,
};

const TABLE: &[Code] = &[
    code("financial pending", Milestone::PaymentPending),
    code("financial authorized", Milestone::PaymentAuthorized),
    code("financial partially_paid", Milestone::PaymentPending),
    code("financial paid", Milestone::PaymentPaid),
    code("financial partially_refunded", Milestone::PaymentPartiallyRefunded),
    code("financial refunded", Milestone::PaymentRefunded),
    code("financial voided", Milestone::PaymentFailed).because("voided"),
    code("financial expired", Milestone::PaymentFailed).because("expired"),
    code("fulfillment null", Milestone::OrderConfirmed),
    code("fulfillment partial", Milestone::FulfilmentPacked),
    code("fulfillment fulfilled", Milestone::ShipmentLabelCreated),
    code("fulfillment restocked", Milestone::InfoIgnored),
    code("fulfillment pending", Milestone::OrderConfirmed),
    code("cancelled", Milestone::OrderCancelled),
    code("refund success", Milestone::PaymentRefunded),
    code("refund pending", Milestone::PaymentRefundPending),
    code("refund failure", Milestone::InfoIgnored),
    code("refund error", Milestone::InfoIgnored),
    code("status pending", Milestone::FulfilmentPacked),
    code("status open", Milestone::FulfilmentPacked),
    code("status success", Milestone::ShipmentLabelCreated),
    code("status cancelled", Milestone::OrderCancelled),
    code("status error", Milestone::InfoIgnored),
    code("status failure", Milestone::InfoIgnored),
    code("label_purchased", Milestone::ShipmentLabelCreated),
    code("label_printed", Milestone::ShipmentLabelCreated),
    code("confirmed", Milestone::ShipmentLabelCreated),
    code("carrier_picked_up", Milestone::ShipmentHandedOver),
    // Collected by the buyer, at the shop.
    code("picked_up", Milestone::ShipmentDelivered),
    code("in_transit", Milestone::ShipmentInTransit),
    code("delayed", Milestone::DelayWarning).because("carrier_delay"),
    code("ready_for_pickup", Milestone::ShipmentAvailableForPickup),
    code("out_for_delivery", Milestone::ShipmentOutForDelivery),
    code("attempted_delivery", Milestone::ShipmentAttemptFailed),
    code("delivered", Milestone::ShipmentDelivered),
    code("failure", Milestone::ShipmentException),
    code("returning_to_sender", Milestone::ShipmentReturning),
];

/// The objects that a body may be wrapped in.
const WRAPPED: [&str; 4] = ["order", "fulfillment", "fulfillment_event", "refund"];

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    let value = parse(record.value)?;
    let whole = Doc::of(&value);
    let wrapped = WRAPPED.iter().map(|name| whole.at(name)).find(|doc| doc.at("id").is_there());
    let doc = wrapped.unwrap_or(whole);
    if doc.at("happened_at").is_there() || doc.at("fulfillment_id").is_there() {
        return parcel_event(record, doc);
    }
    if doc.at("refund_line_items").is_there()
        || doc.at("transactions").is_there() && doc.at("order_id").is_there()
    {
        return refund(record, doc);
    }
    if doc.at("order_id").is_there() {
        return fulfilment(record, doc);
    }
    order(record, doc)
}

fn alias(id: &str) -> String {
    format!("shopify:{id}")
}

fn at(doc: Doc<'_>, fields: &[&str]) -> Result<When, Refusal> {
    when(&doc.need_any(fields)?, UTC)
}

fn order(record: &Record<'_>, doc: Doc<'_>) -> Result<Vec<Draft>, Refusal> {
    let id = doc.need("id")?;
    let order = record.order(doc, &["name", "order_number"], None)?;
    let snapshot = Snapshot { source: SOURCE.name, id: id.clone(), order, alias: alias(&id) };
    let (created, updated) = (at(doc, &["created_at"])?, at(doc, &["updated_at", "created_at"])?);
    let currency = doc.text("currency").unwrap_or_default();
    let total = doc.text("total_price").and_then(|total| money(&total, &currency));
    let mut drafts = vec![snapshot.placed(
        created,
        updated,
        buyer(doc, &snapshot.order)?,
        lines(doc),
        total.clone(),
    )];
    drafts[0].data.location = doc.text("shipping_address.province");
    drafts[0].data.country = doc.text("shipping_address.country_code");
    if let Some(status) = doc.text("financial_status") {
        let said = meaning(TABLE, record, &format!("financial {status}"));
        // Money that is back is told by the refund itself, with its amount.
        let refunded = matches!(
            said.milestone,
            Milestone::PaymentRefunded | Milestone::PaymentPartiallyRefunded
        );
        let mut draft = snapshot.draft(said, &status, updated);
        draft.data.money = total.filter(|_| !refunded);
        drafts.push(draft);
    }
    if let Some(text) = doc.text("cancelled_at") {
        let mut draft =
            snapshot.draft(meaning(TABLE, record, "cancelled"), "cancelled", when(&text, UTC)?);
        draft.data.reason = doc.text("cancel_reason");
        drafts.push(draft);
    } else if doc.flag("confirmed") {
        let status = doc.text("fulfillment_status").unwrap_or_else(|| "null".to_owned());
        let said = meaning(TABLE, record, &format!("fulfillment {status}"));
        // Parcels tell their own steps; the order tells that it will be made.
        let own =
            matches!(said.milestone, Milestone::FulfilmentPacked | Milestone::ShipmentLabelCreated);
        let said = if own { said.but(Milestone::OrderConfirmed) } else { said };
        drafts.push(snapshot.draft(said, "confirmed", created));
    }
    Ok(drafts)
}

fn buyer(doc: Doc<'_>, order: &OrderRef) -> Result<contract::customer::Customer, Refusal> {
    let mut known = customer(doc, &["customer.id", "user_id"], order)?;
    let names = [doc.text("customer.first_name"), doc.text("customer.last_name")];
    let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    known.name = Some(name).filter(|name| !name.is_empty());
    known.email = doc.any(&["email", "contact_email", "customer.email"]);
    known.phone = doc.any(&["phone", "customer.phone", "shipping_address.phone"]);
    known.locale = doc.text("customer_locale");
    Ok(known)
}

/// What belongs to an order by Shopify's number of it.
fn belongs(doc: Doc<'_>, record: &Record<'_>) -> Result<OrderRef, Refusal> {
    let order = doc.need("order_id")?;
    record.order(doc, &[], Some(alias(&order)))
}

fn fulfilment(record: &Record<'_>, doc: Doc<'_>) -> Result<Vec<Draft>, Refusal> {
    let (id, order) = (doc.need("id")?, belongs(doc, record)?);
    let updated = at(doc, &["updated_at", "created_at"])?;
    let own = doc.text("shipment_status");
    let code = own.unwrap_or_else(|| {
        format!("status {}", doc.text("status").unwrap_or_else(|| "success".to_owned()))
    });
    let event = hashed_id(&[&id, &code, &updated.at.to_rfc3339()]);
    let mut draft = meaning(TABLE, record, &code).draft(SOURCE.name, event, updated, order);
    draft.data.restates = true;
    let carrier = doc.text("tracking_company").unwrap_or_else(|| SOURCE.name.to_owned());
    let numbers =
        doc.each("tracking_numbers").filter_map(|n| n.value().as_str().map(str::to_owned));
    let number = doc.text("tracking_number").or_else(|| numbers.into_iter().next());
    draft.parcel(&carrier.to_lowercase(), number);
    draft.data.shipment = Some(id);
    draft.data.lines = doc.each("line_items").filter_map(|line| line.text("id")).collect();
    Ok(vec![draft])
}

fn parcel_event(record: &Record<'_>, doc: Doc<'_>) -> Result<Vec<Draft>, Refusal> {
    let (id, status) = (doc.need("id")?, doc.need("status")?);
    let happened = at(doc, &["happened_at", "created_at"])?;
    let mut draft =
        meaning(TABLE, record, &status).draft(SOURCE.name, id, happened, belongs(doc, record)?);
    let parts = [doc.text("city"), doc.text("province"), doc.text("country")];
    let place = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    draft.data.location = Some(place).filter(|place| !place.is_empty());
    draft.data.shipment = doc.text("fulfillment_id");
    draft.data.note = doc.text("message");
    draft.data.eta = doc.text("estimated_delivery_at").and_then(|text| expected(&text, UTC));
    Ok(vec![draft])
}

/// Money is back when a transaction says so, not when a refund was asked for.
fn refund(record: &Record<'_>, doc: Doc<'_>) -> Result<Vec<Draft>, Refusal> {
    let (id, order) = (doc.need("id")?, belongs(doc, record)?);
    let mut drafts = Vec::new();
    for transaction in doc.each("transactions") {
        let number = transaction.text("id").unwrap_or_else(|| "1".to_owned());
        let status = transaction.text("status").unwrap_or_else(|| "success".to_owned());
        let when = at(transaction, &["processed_at", "created_at"])
            .or_else(|_| at(doc, &["processed_at", "created_at"]))?;
        let said = meaning(TABLE, record, &format!("refund {status}"));
        let mut draft =
            said.draft(SOURCE.name, format!("{id}:{number}:{status}"), when, order.clone());
        let currency = transaction.text("currency").unwrap_or_default();
        draft.data.money = transaction.text("amount").and_then(|amount| money(&amount, &currency));
        drafts.push(draft);
    }
    if drafts.is_empty() {
        let said = Meaning::plain(Milestone::InfoIgnored);
        drafts.push(said.draft(SOURCE.name, id, at(doc, &["created_at", "processed_at"])?, order));
    }
    Ok(drafts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::read_all;

    fn codes(drafts: &[Draft]) -> Vec<&str> {
        drafts.iter().map(|d| d.milestone.code()).collect()
    }

    const ORDER: &str = r##"{"id":820982911946154508,"name":"#T-20","created_at":"2026-11-20T08:58:03+07:00","updated_at":"2026-11-20T09:10:00+07:00",
        "currency":"VND","total_price":"459000","financial_status":"paid","fulfillment_status":null,"confirmed":true,"cancelled_at":null,
        "email":"an@example.com","customer":{"id":55,"first_name":"An","last_name":"Lê"},
        "line_items":[{"id":1,"sku":"MUG","name":"Cốc","quantity":2}]}"##;

    #[test]
    fn an_order_is_placed_paid_and_confirmed_and_tells_its_alias() {
        let drafts = read_all("shopify", ORDER);
        assert_eq!(codes(&drafts), ["order.placed", "payment.paid", "order.confirmed"]);
        assert_eq!(drafts[0].order, OrderRef::Order("T-20".parse().unwrap()));
        assert_eq!(drafts[0].reveals, ["shopify:820982911946154508"]);
        assert_eq!(drafts[0].customer.as_ref().unwrap().id.as_str(), "55");
        assert_eq!(drafts[1].data.money.as_ref().unwrap().amount, 459_000);
        let wrapped = read_all("shopify", &format!(r#"{{"order":{ORDER}}}"#));
        assert_eq!(wrapped, drafts);
    }

    #[test]
    fn a_cancelled_order_says_when_and_why() {
        let cancelled = ORDER.replace(
            r#""cancelled_at":null"#,
            r#""cancelled_at":"2026-11-21T08:00:00Z","cancel_reason":"customer""#,
        );
        let drafts = read_all("shopify", &cancelled);
        assert_eq!(codes(&drafts), ["order.placed", "payment.paid", "order.cancelled"]);
        assert_eq!(drafts[2].data.reason.as_deref(), Some("customer"));
    }

    #[test]
    fn collected_by_the_buyer_is_delivered_and_by_the_carrier_is_not() {
        let event = |status: &str| {
            read_all("shopify", &format!(
            r#"{{"id":9,"fulfillment_id":7,"order_id":82,"status":"{status}","happened_at":"2026-11-23T16:32:23+07:00"}}"#)).remove(0)
        };
        assert_eq!(event("picked_up").milestone, Milestone::ShipmentDelivered);
        assert_eq!(event("carrier_picked_up").milestone, Milestone::ShipmentHandedOver);
        assert_eq!(event("in_transit").order, OrderRef::Alias("shopify:82".into()));
    }

    #[test]
    fn a_fulfilment_tells_its_parcel_and_a_refund_its_amount() {
        let parcel = r##"{"id":7,"order_id":82,"status":"success","created_at":"2026-11-22T10:00:00Z","tracking_company":"GHN","tracking_number":"gx 9",
            "name":"#T-20.1","shipment_status":null,"line_items":[{"id":1}]}"##;
        let parcel = read_all("shopify", parcel).remove(0);
        assert_eq!(
            (parcel.data.shipment.as_deref(), parcel.reveals),
            (Some("7"), vec!["tracking:GX9".to_owned()])
        );
        let refund = r#"{"id":3,"order_id":82,"created_at":"2026-11-24T10:00:00Z","refund_line_items":[],"transactions":[
            {"id":4,"kind":"refund","status":"success","amount":"100000","currency":"VND","processed_at":"2026-11-24T10:01:00Z"}]}"#;
        let refund = read_all("shopify", refund).remove(0);
        assert_eq!(
            (refund.milestone, refund.data.money.unwrap().amount),
            (Milestone::PaymentRefunded, 100_000)
        );
    }
}
