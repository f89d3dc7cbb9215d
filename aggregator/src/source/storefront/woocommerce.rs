//! `source.woocommerce`: the order webhook, whose body is the order of the REST interface.

use super::snapshot::{Snapshot, customer, lines};
use crate::draft::{Draft, OrderRef, tracking_alias};
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse};
use crate::source::field::{hashed_id, money};
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, Meaning, code, meaning};
use crate::source::time::{When, when};
use chrono_tz::UTC;
use contract::milestone::Milestone;

pub(in crate::source) const SOURCE: Source = Source {
    name: "woocommerce",
    about: "WooCommerce, order webhook (`processing` is paid and confirmed; what `completed` means is the shop's habit)",
    order: "`number`, else `id`",
    time: "`date_modified_gmt`, `date_paid_gmt`, `date_created_gmt`, UTC",
    zone: UTC,
    table: TABLE,
    read,
};

const TABLE: &[Code] = &[
    code("pending", Milestone::PaymentPending),
    code("checkout-draft", Milestone::InfoIgnored),
    code("auto-draft", Milestone::InfoIgnored),
    code("draft", Milestone::InfoIgnored),
    code("new", Milestone::InfoIgnored),
    code("trash", Milestone::InfoIgnored),
    // It waits for the money: a bank transfer, say.
    code("on-hold", Milestone::OrderOnHold).because("payment"),
    code("processing", Milestone::OrderConfirmed),
    code("ready-for-pickup", Milestone::ShipmentAvailableForPickup),
    code("completed", Milestone::ShipmentHandedOver),
    code("cancelled", Milestone::OrderCancelled),
    code("refunded", Milestone::PaymentRefunded),
    code("failed", Milestone::PaymentFailed),
];

/// Products, coupons and customers come to the same address, where a shop asks for them.
fn is_no_order(record: &Record<'_>, doc: Doc<'_>) -> bool {
    let of_others = ["catalog_visibility", "discount_type", "permalink", "is_paying_customer"];
    match record.header("x-wc-webhook-resource") {
        Some(resource) => resource != "order",
        None => of_others.iter().any(|field| doc.value().get(field).is_some()),
    }
}

fn moment(doc: Doc<'_>, field: &str, record: &Record<'_>) -> Result<Option<When>, Refusal> {
    let universal = doc.text(&format!("{field}_gmt")).map(|text| when(&text, UTC));
    // The `_gmt` fields are UTC and do not say so.
    let universal = universal.map(|read| read.map(|when| When::sure(when.at)));
    universal.or_else(|| doc.text(field).map(|text| when(&text, record.zone))).transpose()
}

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    let value = parse(record.value)?;
    let doc = Doc::of(&value);
    if is_no_order(record, doc) {
        return Ok(Vec::new());
    }
    let id = doc.need("id")?;
    if record.header("x-wc-webhook-topic") == Some("order.deleted") {
        let order = OrderRef::Alias(format!("woocommerce:{id}"));
        let (said, at) = (Meaning::plain(Milestone::InfoIgnored), When::sure(record.received_at));
        return Ok(vec![said.draft(SOURCE.name, format!("{id}:deleted"), at, order)]);
    }
    let status = doc.need("status")?;
    let order = record.order(doc, &["number", "id"], None)?;
    let alias = format!("woocommerce:{id}");
    let snapshot = Snapshot { source: SOURCE.name, id, order, alias };
    let created = moment(doc, "date_created", record)?;
    let created =
        created.ok_or_else(|| Refusal::Shape("`date_created_gmt` is missing".to_owned()))?;
    let modified = moment(doc, "date_modified", record)?.unwrap_or(created);
    let paid = moment(doc, "date_paid", record)?;
    let currency = doc.text("currency").unwrap_or_default();
    let total = doc.text("total").and_then(|total| money(&total, &currency));
    let mut buyer = customer(doc, &["customer_id"], &snapshot.order)?;
    let names = [doc.text("billing.first_name"), doc.text("billing.last_name")];
    let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    buyer.name = Some(name).filter(|name| !name.is_empty());
    (buyer.email, buyer.phone) = (doc.text("billing.email"), doc.text("billing.phone"));
    let mut drafts = vec![snapshot.placed(created, modified, buyer, lines(doc), total.clone())];
    drafts[0].data.location = doc.text("shipping.state");
    drafts[0].data.country = doc.text("shipping.country");
    let cod = doc.text("payment_method").as_deref() == Some("cod");
    let money = match paid.or((status == "processing" && !cod).then_some(modified)) {
        Some(paid) => Some((Milestone::PaymentPaid, "paid", paid)),
        // Cash on delivery is processed without being paid.
        None => {
            (cod && status == "processing").then_some((Milestone::PaymentCodDue, "cod", created))
        }
    };
    if let Some((milestone, what, at)) = money {
        let mut draft = snapshot.draft(Meaning::plain(milestone), what, at);
        draft.data.money.clone_from(&total);
        drafts.push(draft);
    }
    let said = meaning(TABLE, record, &status);
    let mut draft = snapshot.draft(said, &status, modified);
    draft.data.money = total.filter(|_| draft.milestone == Milestone::PaymentRefunded);
    name_parcels(&mut draft, &snapshot.id, doc);
    drafts.push(draft);
    drafts.extend(refunds(&snapshot, doc, &status, &currency, modified));
    Ok(drafts)
}

/// The parcels that the plugins for tracking note at the order (Shipment Tracking and Advanced Shipment Tracking
/// share the field). What is sent in one parcel is sent in that, whatever its number is mended to.
fn name_parcels(draft: &mut Draft, id: &str, doc: Doc<'_>) {
    let noted = doc.each("meta_data");
    let noted = noted.filter(|m| m.text("key").as_deref() == Some("_wc_shipment_tracking_items"));
    let parcels = noted.flat_map(|noted| noted.each("value"));
    let number = |parcel: Doc<'_>| parcel.text("tracking_number").filter(|text| is_number(text));
    let parcels: Vec<(Doc<'_>, Option<String>)> =
        parcels.map(|parcel| (parcel, number(parcel))).collect();
    match parcels.as_slice() {
        [(parcel, Some(number))] if draft.milestone == Milestone::ShipmentHandedOver => {
            let carrier = parcel.any(&["tracking_provider", "custom_tracking_provider"]);
            draft.data.carrier = carrier.map(|carrier| carrier.to_lowercase());
            draft.data.tracking_number = Some(number.clone());
            draft.reveal(tracking_alias(number));
            draft.data.shipment = Some(id.to_owned());
            // It may be noted within the second.
            draft.id = hashed_id(&[&draft.id, number]);
        }
        all => {
            let numbers = all.iter().filter_map(|(_, number)| number.as_deref());
            numbers.for_each(|number| draft.reveal(tracking_alias(number)));
        }
    }
}

/// People write addresses, lists and words into the field, too.
fn is_number(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    text.chars().all(plain) && text.contains(|c: char| c.is_ascii_digit())
}

/// Refunds carry neither date nor status, and their amounts are negative. A whole one is told by
/// the order's status.
fn refunds(
    snapshot: &Snapshot<'_>,
    doc: Doc<'_>,
    status: &str,
    currency: &str,
    modified: When,
) -> Vec<Draft> {
    let told = doc.each("refunds").filter(|_| status != "refunded");
    let refund = told.filter_map(|refund| {
        let said = Meaning::plain(Milestone::PaymentPartiallyRefunded);
        let mut draft = snapshot.draft(said, "refund", modified);
        draft.id = format!("{}:refund:{}", snapshot.id, refund.text("id")?);
        draft.data.restates = false;
        draft.data.money =
            refund.text("total").and_then(|total| money(total.trim_start_matches('-'), currency));
        Some(draft)
    });
    refund.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::{read_all, read_with_headers};

    fn order(status: &str, more: &str) -> Vec<Draft> {
        read_all(
            "woocommerce",
            &format!(
                r#"{{"id":727,"number":"T-30","status":"{status}","currency":"VND","total":"250000","customer_id":0,
            "date_created_gmt":"2026-11-20T01:00:00","date_modified_gmt":"2026-11-20T02:00:00","payment_method":"momo",
            "billing":{{"first_name":"Hà","email":"ha@example.com"}},"line_items":[{{"id":1,"name":"Áo","quantity":1}}]{more}}}"#
            ),
        )
    }

    #[test]
    fn processing_is_paid_and_confirmed() {
        let drafts = order("processing", r#","date_paid_gmt":"2026-11-20T01:30:00""#);
        let codes: Vec<&str> = drafts.iter().map(|d| d.milestone.code()).collect();
        assert_eq!(codes, ["order.placed", "payment.paid", "order.confirmed"]);
        assert_eq!(drafts[0].customer.as_ref().unwrap().id.as_str(), "T-30");
        assert!(!drafts[1].data.tz_assumed);
    }

    #[test]
    fn cash_on_delivery_is_confirmed_without_being_paid() {
        let drafts = order("processing", r#","payment_method_title":"COD""#);
        assert!(drafts.iter().any(|d| d.milestone == Milestone::PaymentPaid));
        let cod = read_all(
            "woocommerce",
            r#"{"id":1,"status":"processing","payment_method":"cod","date_created_gmt":"2026-11-20T01:00:00"}"#,
        );
        let codes: Vec<&str> = cod.iter().map(|d| d.milestone.code()).collect();
        assert_eq!(codes, ["order.placed", "payment.cod_due", "order.confirmed"]);
    }

    #[test]
    fn what_is_no_order_says_nothing_and_a_deleted_order_is_kept_as_info() {
        let product = r#"{"id":794,"status":"publish","catalog_visibility":"visible","date_created_gmt":"2026-11-20T01:00:00"}"#;
        assert!(read_all("woocommerce", product).is_empty());
        let told = |topic: &str, resource: &str, body: &str| {
            let headers = [("x-wc-webhook-topic", topic), ("x-wc-webhook-resource", resource)];
            read_with_headers("woocommerce", body, &headers).unwrap()
        };
        let coupon = r#"{"id":3,"status":"publish","date_created_gmt":"2026-11-20T01:00:00"}"#;
        assert!(told("coupon.created", "coupon", coupon).is_empty());
        let deleted = told("order.deleted", "order", r#"{"id":727}"#);
        assert_eq!(deleted[0].order, OrderRef::Alias("woocommerce:727".to_owned()));
    }

    #[test]
    fn a_number_that_a_plugin_noted_names_the_order() {
        let noted = |numbers: &[&str]| {
            let items: Vec<String> = numbers
                .iter()
                .map(|n| format!(r#"{{"tracking_provider":"GHN","tracking_number":"{n}"}}"#))
                .collect();
            let items = items.join(",");
            let more = format!(
                r#","meta_data":[{{"id":4,"key":"_wc_shipment_tracking_items","value":[{items}]}}]"#
            );
            order("completed", &more).pop().unwrap()
        };
        let sent = noted(&["WX1"]);
        assert_eq!(sent.data.tracking_number.as_deref(), Some("WX1"));
        assert_eq!(
            (sent.data.carrier.as_deref(), sent.milestone.code()),
            (Some("ghn"), "shipment.handed_over")
        );
        assert_eq!(sent.data.shipment.as_deref(), Some("727"));
        let ids = [noted(&[]).id, noted(&["WX2"]).id];
        assert!(!ids.contains(&sent.id) && ids[0] != ids[1], "its number is news");
        for text in ["https://ghn.vn/1", "WX1, WX2", "WX1 WX2", "pick-up"] {
            assert_eq!(noted(&[text]).data.tracking_number, None, "{text}");
        }
        assert_eq!(noted(&["WX1", "https://ghn.vn/2"]).data.tracking_number, None);
        let several = noted(&["WX1", "WX2"]);
        assert_eq!(several.data.tracking_number, None);
        let told = several.reveals.iter().filter(|name| name.starts_with("tracking:"));
        assert_eq!(told.collect::<Vec<_>>(), ["tracking:WX1", "tracking:WX2"]);
    }

    #[test]
    fn a_refund_of_a_part_has_its_amount() {
        let drafts = order("completed", r#","refunds":[{"id":9,"reason":"","total":"-50000"}]"#);
        let refund = drafts.last().unwrap();
        assert_eq!(
            (refund.milestone, refund.data.money.as_ref().unwrap().amount),
            (Milestone::PaymentPartiallyRefunded, 50_000)
        );
    }
}
