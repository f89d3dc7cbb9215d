//! `source.printful`: Printful's webhooks of versions 1 and 2. Version 1 has no event id and
//! counts its attempts inside the body, so the id is made of what does not change. The answer to a
//! question about an order is read too: it confirms what was reported.

use crate::draft::{Draft, OrderRef};
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse};
use crate::source::field::hashed_id;
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, Meaning, code, meaning};
use crate::source::time::{When, days, seconds, when};
use chrono_tz::UTC;
use contract::milestone::Milestone;
use serde_json::Value;

pub(in crate::source) const SOURCE: Source = Source {
    name: "printful",
    about: "Printful v1 and v2: event type, or the order's status",
    order: "`data.order.external_id` (v2 also `data.shipment.order_external_id`), else the alias `printful:<order id>`",
    time: "v1 `created`, Unix seconds (`shipment.shipped_at` first); v2 `occurred_at`",
    zone: UTC,
    table: TABLE,
    read,
};

const TABLE: &[Code] = &[
    code("draft", Milestone::OrderConfirmed),
    code("pending", Milestone::OrderConfirmed),
    code("inreview", Milestone::OrderConfirmed),
    code("onhold", Milestone::OrderOnHold).because("maker_on_hold"),
    code("inprocess", Milestone::ProductionStarted),
    code("partial", Milestone::InfoIgnored),
    code("fulfilled", Milestone::ShipmentHandedOver),
    code("failed", Milestone::OrderOnHold).because("maker_failed"),
    code("canceled", Milestone::OrderCancelled),
    code("archived", Milestone::InfoIgnored),
    code("package_shipped", Milestone::ShipmentHandedOver),
    code("package_returned", Milestone::ShipmentReturned),
    code("order_failed", Milestone::OrderOnHold).because("maker_failed"),
    code("order_canceled", Milestone::OrderCancelled),
    code("order_put_hold", Milestone::OrderOnHold).because("maker_on_hold"),
    code("order_put_hold_approval", Milestone::DesignProofPending),
    code("order_remove_hold", Milestone::OrderConfirmed),
    // The maker gives the shop its money back: the buyer's is another matter.
    code("order_refunded", Milestone::InfoIgnored),
    code("shipment_sent", Milestone::ShipmentHandedOver),
    code("shipment_delivered", Milestone::ShipmentDelivered),
    code("shipment_returned", Milestone::ShipmentReturned),
    code("shipment_canceled", Milestone::InfoIgnored),
    code("shipment_put_hold", Milestone::OrderOnHold).because("maker_on_hold"),
    code("shipment_put_hold_approval", Milestone::DesignProofPending),
    code("shipment_remove_hold", Milestone::OrderConfirmed),
    code("shipment_out_of_stock", Milestone::OrderOnHold).because("maker_material_out_of_stock"),
];

/// What the shop's catalogue is told, of no order.
const CATALOGUE: [&str; 7] = [
    "product_synced",
    "product_updated",
    "product_deleted",
    "stock_updated",
    "catalog_stock_updated",
    "catalog_price_changed",
    "mockup_task_finished",
];

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    let value = parse(record.value)?;
    let doc = Doc::of(&value);
    if doc.at("result").is_there() {
        return answer(record, doc.at("result"));
    }
    let (kind, data) = (doc.need("type")?, doc.at("data"));
    if CATALOGUE.contains(&kind.as_str()) {
        return Ok(Vec::new());
    }
    let (order_doc, shipment) = (data.at("order"), data.at("shipment"));
    // The order itself and its changes say their status; everything else says its type.
    let status = order_doc
        .text("status")
        .filter(|_| matches!(kind.as_str(), "order_created" | "order_updated"));
    let code = status.unwrap_or_else(|| kind.clone());
    let number = order_doc.text("id").or_else(|| shipment.text("order_id"));
    let alias = number.as_ref().map(|id| format!("printful:{id}"));
    let fields = ["order.external_id", "shipment.order_external_id", "order.order_external_id"];
    let said = meaning(TABLE, record, &code);
    let order = match record.order(data, &fields, alias.clone()) {
        Ok(order) => order,
        // A sheet that waits for an approval, say: what is news of no order is nobody's.
        Err(_) if said.is_unknown() => return Ok(Vec::new()),
        Err(refusal) => return Err(refusal),
    };
    let happened = moment(doc, shipment)?;
    let sent = doc.any(&["created", "occurred_at"]).unwrap_or_default();
    let id = hashed_id(&[
        &kind,
        number.as_deref().unwrap_or(""),
        shipment.text("id").as_deref().unwrap_or(""),
        &sent,
        &code,
    ]);
    // One type for both.
    let back_in_stock = kind == "shipment_out_of_stock"
        && data.value().get("is_out_of_stock") == Some(&Value::Bool(false));
    let said = if back_in_stock { Meaning::plain(Milestone::OrderConfirmed) } else { said };
    let mut draft = said.draft(SOURCE.name, id, happened, order.clone());
    if let Some(alias) = alias {
        draft.reveal(alias);
    }
    draft.data.note = data.text("reason");
    if shipment.is_there() {
        parcel(&mut draft, shipment, order_doc);
        let range = shipment
            .text("estimated_delivery.from_date")
            .zip(shipment.text("estimated_delivery.to_date"));
        draft.expect(range.and_then(|(first, last)| days(&first, &last, record.zone)));
    }
    let mut drafts = vec![draft];
    drafts.extend(progress(order_doc, &order, happened, number.as_deref().unwrap_or("")));
    Ok(drafts)
}

fn moment(doc: Doc<'_>, shipment: Doc<'_>) -> Result<When, Refusal> {
    if let Some(text) = doc.text("occurred_at") {
        return when(&text, UTC);
    }
    let sent = doc.text("type").as_deref() == Some("package_shipped");
    let shipped = shipment.number("shipped_at").filter(|_| sent);
    let created = shipped.or_else(|| doc.number("created"));
    seconds(created.ok_or_else(|| Refusal::Shape("`created` is missing".to_owned()))?)
}

/// The line that an item is called by the shop: Printful counts items of its own, and says with the
/// order what each of them was ordered as.
fn line(order_doc: Doc<'_>, item: Doc<'_>) -> Option<Result<String, String>> {
    let number = item.text("item_id")?;
    let mut ordered = order_doc.each("items");
    let Some(ordered) = ordered.find(|one| one.text("id").as_ref() == Some(&number)) else {
        return Some(Ok(number));
    };
    let article = || ordered.text("sku").map(Err);
    ordered.text("external_id").map(Ok).or_else(article).or(Some(Ok(number)))
}

/// A tracking number of 0 is none.
fn parcel(draft: &mut Draft, shipment: Doc<'_>, order_doc: Doc<'_>) {
    let carrier = shipment.text("carrier").unwrap_or_else(|| SOURCE.name.to_owned());
    let number = shipment.text("tracking_number").filter(|number| number != "0");
    draft.makers_parcel(&carrier.to_lowercase(), number);
    draft.data.shipment = shipment.text("id");
    for item in shipment.each("items").filter_map(|item| line(order_doc, item)) {
        match item {
            Ok(line) => draft.data.lines.push(line),
            Err(article) => draft.data.skus.push(article),
        }
    }
    // The second version says it itself.
    let named = ["order_item_external_id", "order_item_id"];
    draft.data.lines.extend(shipment.each("shipment_items").filter_map(|item| item.any(&named)));
}

/// Counters of printed and picked pieces tell how far the making is, before anything is sent.
fn progress(order_doc: Doc<'_>, order: &OrderRef, happened: When, number: &str) -> Vec<Draft> {
    let shipments = order_doc.each("shipments").filter(|s| !s.at("shipped_at").is_there());
    let made = shipments.flat_map(|shipment| shipment.each("items")).filter_map(|item| {
        let count = |name: &str| item.number(name).unwrap_or(0);
        let wanted = item.number("quantity")?;
        let code = match () {
            () if wanted > 0 && count("picked") >= wanted => Milestone::FulfilmentPacked,
            () if wanted > 0 && count("printed") >= wanted => Milestone::ProductionFinished,
            () if count("printed") > 0 => Milestone::ProductionStarted,
            () => return None,
        };
        let id = hashed_id(&[number, &item.text("item_id")?, code.code()]);
        let mut draft = Meaning::plain(code).draft(SOURCE.name, id, happened, order.clone());
        draft.data.line = line(order_doc, item)?.ok().or_else(|| item.text("item_id"));
        Some(draft)
    });
    made.collect()
}

/// The order itself: what left the house, and whether it was cancelled.
fn answer(record: &Record<'_>, order_doc: Doc<'_>) -> Result<Vec<Draft>, Refusal> {
    let (number, status) = (order_doc.need("id")?, order_doc.need("status")?);
    let order = record.order(order_doc, &["external_id"], Some(format!("printful:{number}")))?;
    let at = |doc: Doc<'_>, names: &[&str]| names.iter().find_map(|name| doc.number(name));
    let updated = at(order_doc, &["updated", "created"]);
    let updated =
        seconds(updated.ok_or_else(|| Refusal::Shape("`updated` is missing".to_owned()))?)?;
    let sent = order_doc.each("shipments").filter_map(|shipment| {
        let shipped = seconds(shipment.number("shipped_at")?).ok()?;
        let id = hashed_id(&[&number, "asked", &shipment.text("id").unwrap_or_default()]);
        let said = Meaning::plain(Milestone::ShipmentHandedOver);
        let mut draft = said.draft(SOURCE.name, id, shipped, order.clone());
        parcel(&mut draft, shipment, order_doc);
        Some(draft)
    });
    let mut drafts: Vec<Draft> = sent.collect();
    let said = meaning(TABLE, record, &status);
    let cancelled = said.milestone == Milestone::OrderCancelled;
    let said = if cancelled { said } else { said.but(Milestone::InfoIgnored) };
    let id = hashed_id(&[&number, "asked", &status, &updated.at.to_rfc3339()]);
    drafts.push(said.draft(SOURCE.name, id, updated, order.clone()));
    for draft in &mut drafts {
        draft.reveal(format!("printful:{number}"));
    }
    Ok(drafts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::{read_all, read_one};

    #[test]
    fn an_answer_confirms_what_was_sent_at_the_moment_that_was_reported() {
        let order = r#"{"code":200,"result":{"id":13,"external_id":"T-50","status":"fulfilled","updated":1795312900,
            "shipments":[{"id":10,"carrier":"GHN","tracking_number":"G9","shipped_at":1795312000}]}}"#;
        let drafts = read_all("printful", order);
        assert_eq!(drafts[0].milestone, Milestone::ShipmentHandedOver);
        assert_eq!(drafts[0].time.timestamp(), 1_795_312_000);
        assert_eq!(drafts[0].data.shipment.as_deref(), Some("10"));
        assert_eq!(drafts[1].milestone, Milestone::InfoIgnored);
        let cancelled = order.replace("fulfilled", "canceled");
        let drafts = read_all("printful", &cancelled);
        assert_eq!(drafts[1].milestone, Milestone::OrderCancelled);
    }

    #[test]
    fn another_attempt_is_the_same_event_and_a_tracking_number_of_zero_is_none() {
        let hook = |retries: u32| {
            format!(
                r#"{{"type":"package_shipped","created":1795312800,"retries":{retries},"store":12,"data":{{"shipment":{{"id":10,"carrier":"GHN","tracking_number":0,
               "shipped_at":1795312000,"items":[{{"item_id":1,"quantity":1}}]}},"order":{{"id":13,"external_id":"T-50","status":"fulfilled"}}}}}}"#
            )
        };
        let draft = read_one("printful", &hook(0));
        assert_eq!(draft.id, read_one("printful", &hook(3)).id);
        assert_eq!(
            (draft.milestone, draft.data.tracking_number),
            (Milestone::ShipmentHandedOver, None)
        );
        assert_eq!(draft.data.lines, ["1"]);
        let named = hook(0).replace(
            r#""status":"fulfilled""#,
            r#""status":"fulfilled","items":[{"id":1,"external_id":"line-7"}]"#,
        );
        assert_eq!(read_one("printful", &named).data.lines, ["line-7"], "the shop's own name");
        let by_article =
            named.replace(r#""external_id":"line-7""#, r#""external_id":null,"sku":"MUG""#);
        assert_eq!(read_one("printful", &by_article).data.skus, ["MUG"]);
        assert_eq!(draft.reveals, ["printful:13"]);
    }

    #[test]
    fn version_2_and_an_order_without_the_shops_number() {
        let hook = r#"{"type":"shipment_delivered","occurred_at":"2026-11-25T07:00:00Z","data":{"shipment":{"id":10,"order_id":13,"tracking_number":"PF1"}}}"#;
        let draft = read_one("printful", hook);
        assert_eq!(
            (draft.milestone, draft.order),
            (Milestone::ShipmentDelivered, OrderRef::Alias("printful:13".into()))
        );
    }

    #[test]
    fn lines_of_version_2_are_listed_and_news_of_no_order_says_nothing() {
        let hook = r#"{"type":"shipment_sent","occurred_at":"2026-11-25T07:00:00Z","data":{"shipment":{"id":10,"order_id":13,"tracking_number":"PF1",
            "shipment_items":[{"id":1,"order_item_id":7,"order_item_external_id":"2"},{"id":2,"order_item_id":8}]}}}"#;
        assert_eq!(read_one("printful", hook).data.lines, ["2", "8"]);
        let sheet = r#"{"type":"approval_sheet_status_changed","occurred_at":"2026-11-25T07:00:00Z","data":{"confirm_hash":"x"}}"#;
        assert!(read_all("printful", sheet).is_empty());
    }

    #[test]
    fn counters_of_printed_pieces_tell_the_progress() {
        let hook = r#"{"type":"order_updated","created":1795312800,"data":{"order":{"id":13,"external_id":"T-50","status":"inprocess",
            "shipments":[{"id":10,"items":[{"item_id":1,"quantity":2,"printed":2,"picked":0},{"item_id":2,"quantity":1,"printed":0,"picked":0}]}]}}}"#;
        let codes: Vec<_> = read_all("printful", hook)
            .iter()
            .map(|d| (d.milestone.code(), d.data.line.clone()))
            .collect();
        assert_eq!(
            codes,
            [("production.started", None), ("production.finished", Some("1".to_owned()))]
        );
    }
}
