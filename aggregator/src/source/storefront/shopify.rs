//! `source.shopify`: orders, fulfilments, fulfilment events and refunds. The webhooks' bodies
//! are bare; the REST answers of the same objects are wrapped in their name. Both are read: `payment` what
//! is said of money, `parcel` what is said of parcels.

mod payment;
mod parcel;
#[cfg(test)]
mod tests;

use super::snapshot::{Snapshot, customer, lines};
use crate::draft::{Draft, OrderRef};
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse};
use crate::source::field::money;
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, Meaning, code, meaning};
use crate::source::time::{When, when};
use chrono_tz::UTC;
use contract::milestone::Milestone;
use parcel::{fulfilment, parcel_event};
use payment::{at_the_door, dispute, refund, transaction};

pub(in crate::source) const SOURCE: Source = Source {
    name: "shopify",
    about: "Shopify: orders, fulfilments, fulfilment events, transactions, refunds",
    order: "`name` without `#`; fulfilments, their events, transactions and refunds through the alias `shopify:<order_id>` that the order tells",
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
    code("authorization success", Milestone::PaymentAuthorized),
    code("authorization pending", Milestone::PaymentPending),
    code("authorization failure", Milestone::PaymentFailed).because("declined"),
    code("authorization error", Milestone::PaymentFailed).because("error"),
    code("sale success", Milestone::PaymentPaid),
    code("sale pending", Milestone::PaymentPending),
    code("sale failure", Milestone::PaymentFailed).because("declined"),
    code("sale error", Milestone::PaymentFailed).because("error"),
    code("capture success", Milestone::PaymentPaid),
    code("capture pending", Milestone::PaymentPending),
    code("capture failure", Milestone::PaymentFailed).because("declined"),
    code("capture error", Milestone::PaymentFailed).because("error"),
    code("void success", Milestone::PaymentFailed).because("voided"),
    code("void pending", Milestone::InfoIgnored),
    code("void failure", Milestone::InfoIgnored),
    code("void error", Milestone::InfoIgnored),
    // Money given back over the counter.
    code("change success", Milestone::InfoIgnored),
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
    code("ready_for_pickup", Milestone::ShipmentAvailableForPickup).back(),
    code("out_for_delivery", Milestone::ShipmentOutForDelivery),
    code("attempted_delivery", Milestone::ShipmentAttemptFailed),
    code("delivered", Milestone::ShipmentDelivered),
    code("failure", Milestone::ShipmentException),
    code("returning_to_sender", Milestone::ShipmentReturning),
];

/// The objects that a body may be wrapped in.
const WRAPPED: [&str; 5] = ["order", "fulfillment", "fulfillment_event", "refund", "transaction"];

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    let value = parse(record.value)?;
    let whole = Doc::of(&value);
    let wrapped = WRAPPED.iter().map(|name| whole.at(name)).find(|doc| doc.at("id").is_there());
    let doc = wrapped.unwrap_or(whole);
    if is_none_of_ours(record, doc) {
        return Ok(Vec::new());
    }
    if doc.at("happened_at").is_there() || doc.at("fulfillment_id").is_there() {
        return parcel_event(record, doc);
    }
    if doc.at("refund_line_items").is_there()
        || doc.at("transactions").is_there() && doc.at("order_id").is_there()
    {
        return refund(record, doc);
    }
    if doc.at("order_id").is_there() && doc.at("kind").is_there() {
        let number = doc.need("id")?;
        return Ok(vec![transaction(record, doc, &number, None, belongs(doc, record)?)?]);
    }
    if doc.at("initiated_at").is_there() {
        // A bank may ask for money of no order.
        let of_order = doc.at("order_id").is_there();
        let dispute = || Ok(vec![dispute(doc, belongs(doc, record)?)?]);
        return if of_order { dispute() } else { Ok(Vec::new()) };
    }
    if doc.at("order_id").is_there() {
        return Ok(vec![fulfilment(record, doc, belongs(doc, record)?)?]);
    }
    order(record, doc)
}

/// Drafts, abandoned checkouts, payouts, plans of a warehouse and what else an address may be told of: a webhook's
/// topic says it, and of a bare object its fields.
fn is_none_of_ours(record: &Record<'_>, doc: Doc<'_>) -> bool {
    const TOPICS: [&str; 6] = [
        "orders/",
        "fulfillments/",
        "fulfillment_events/",
        "refunds/",
        "order_transactions/",
        "disputes/",
    ];
    // Of an order that was edited or deleted the state itself is told, or nothing more.
    const SILENT: [&str; 4] = [
        "orders/edited",
        "orders/delete",
        "orders/risk_assessment_changed",
        "orders/shopify_protect_eligibility_changed",
    ];
    if let Some(topic) = record.header("x-shopify-topic") {
        return !TOPICS.iter().any(|of| topic.starts_with(of)) || SILENT.contains(&topic);
    }
    let is_there = |field: &str| doc.value().get(field).is_some();
    let of_others = ["invoice_url", "abandoned_checkout_url", "order_edit", "remote_reference"];
    let planned = is_there("order_id") && is_there("assigned_location_id");
    planned || of_others.iter().any(|field| is_there(field))
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
    // Who pays in another currency than the shop's is paid back in that.
    let shown = doc.at("total_price_set.presentment_money");
    let paid = shown.text("currency_code").zip(shown.text("amount"));
    let total = paid.and_then(|(currency, amount)| money(&amount, &currency)).or(total);
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
        let said = at_the_door(said, doc.each("payment_gateway_names"));
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
    } else {
        drafts.extend(made(record, doc, &snapshot, created, updated)?);
    }
    Ok(drafts)
}

/// How far the making is: the order will be made, and what of it is ready. Parcels that are listed
/// tell that themselves, each as its own record does.
fn made(
    record: &Record<'_>,
    doc: Doc<'_>,
    snapshot: &Snapshot<'_>,
    created: When,
    updated: When,
) -> Result<Vec<Draft>, Refusal> {
    let confirmed = Meaning::plain(Milestone::OrderConfirmed);
    let mut drafts = vec![snapshot.draft(confirmed, "confirmed", created)];
    let parcels = doc.each("fulfillments").filter(|parcel| parcel.at("id").is_there());
    for parcel in parcels {
        drafts.push(fulfilment(record, parcel, snapshot.order.clone())?);
    }
    let status = doc.text("fulfillment_status").unwrap_or_else(|| "null".to_owned());
    let said = meaning(TABLE, record, &format!("fulfillment {status}"));
    if said.milestone == Milestone::OrderConfirmed || drafts.len() > 1 {
        return Ok(drafts);
    }
    let mut draft = snapshot.draft(said, &status, updated);
    let ready = |line: &Doc<'_>| {
        status == "fulfilled"
            || matches!(line.text("fulfillment_status").as_deref(), Some("fulfilled" | "partial"))
    };
    let lines = doc.each("line_items").filter(ready);
    draft.data.lines = lines.filter_map(|line| line.text("id")).collect();
    drafts.push(draft);
    Ok(drafts)
}

fn buyer(doc: Doc<'_>, order: &OrderRef) -> Result<contract::customer::Customer, Refusal> {
    let mut known = customer(doc, &["customer.id"], order)?;
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
