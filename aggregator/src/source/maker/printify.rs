//! `source.printify`: Printify's order events. They name the order by Printify's own number,
//! which another event has to tell as the alias `printify:<id>`.

use crate::draft::Draft;
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse};
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, code, meaning};
use crate::source::time::when;
use chrono_tz::UTC;
use contract::milestone::Milestone;

pub(in crate::source) const SOURCE: Source = Source {
    name: "printify",
    about: "Printify: event type, or the status of `order:updated`; a parcel's events are of its SKUs alone",
    order: "`resource.data.external_id` or `resource.data.shop_order_id`, else the alias `printify:<resource.id>`",
    time: "`data.shipped_at`, `data.delivered_at`, `created_at`, a space before the hour",
    zone: UTC,
    table: TABLE,
    read,
};

const TABLE: &[Code] = &[
    code("order:created", Milestone::OrderConfirmed),
    code("order:sent-to-production", Milestone::ProductionStarted),
    code("order:shipment:created", Milestone::ShipmentHandedOver),
    code("order:shipment:delivered", Milestone::ShipmentDelivered),
    code("pending", Milestone::OrderConfirmed),
    code("payment-not-received", Milestone::PaymentPending),
    code("callback-received", Milestone::InfoIgnored),
    code("cost-calculation", Milestone::InfoIgnored),
    code("on-hold", Milestone::OrderOnHold),
    // Before the press: the artwork is looked at.
    code("checking-quality", Milestone::DesignProofPending),
    code("quality-declined", Milestone::DesignProofRejected),
    code("quality-approved", Milestone::DesignProofApproved),
    code("ready-for-production", Milestone::ProductionQueued),
    code("sending-to-production", Milestone::ProductionQueued),
    code("in-production", Milestone::ProductionStarted),
    code("partially-fulfilled", Milestone::InfoIgnored),
    code("fulfilled", Milestone::ProductionFinished),
    code("has-issues", Milestone::OrderOnHold).because("maker_has_issues"),
    code("had-issues", Milestone::OrderOnHold).because("maker_has_issues"),
    code("source-check-failed", Milestone::OrderOnHold).because("maker_has_issues"),
    code("unfulfillable", Milestone::OrderOnHold).because("maker_unfulfillable"),
    code("canceled", Milestone::OrderCancelled),
];

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    let value = parse(record.value)?;
    let doc = Doc::of(&value);
    let (id, kind, data) = (doc.need("id")?, doc.need("type")?, doc.at("resource.data"));
    let of_order = doc.text("resource.type").is_none_or(|thing| thing == "order");
    if !of_order || ["product:", "shop:"].iter().any(|of| kind.starts_with(of)) {
        return Ok(Vec::new());
    }
    let code = match kind.as_str() {
        "order:updated" => data.need("status")?,
        _ => kind,
    };
    let alias = doc.text("resource.id").map(|number| format!("printify:{number}"));
    let order = record.order(
        data,
        &["external_id", "shop_order_id", "metadata.shop_order_id"],
        alias.clone(),
    )?;
    let own = match code.as_str() {
        "order:shipment:delivered" => ["delivered_at", "shipped_at"],
        _ => ["shipped_at", "delivered_at"],
    };
    let time = data.any(&own);
    let time = time.map_or_else(|| doc.need("created_at"), Ok)?;
    let mut draft =
        meaning(TABLE, record, &code).draft(SOURCE.name, id, when(&time, record.zone)?, order);
    if let Some(alias) = alias {
        draft.reveal(alias);
    }
    let number = data.any(&["carrier.tracking_number", "shipments.0.number"]);
    if number.is_some() || code.starts_with("order:shipment") {
        let carrier = data.any(&["carrier.code", "shipments.0.carrier"]);
        draft.makers_parcel(
            &carrier.unwrap_or_else(|| SOURCE.name.to_owned()).to_lowercase(),
            number,
        );
        draft.data.skus =
            data.each("skus").filter_map(|sku| sku.value().as_str().map(str::to_owned)).collect();
    }
    Ok(vec![draft])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::OrderRef;
    use crate::source::tests::{read_all, read_one};

    #[test]
    fn a_parcel_is_of_its_skus_and_known_by_alias() {
        let hook = r#"{"id":"p-1","type":"order:shipment:created","created_at":"2026-11-22 13:24:28+00:00","resource":{"id":"5cb8","type":"order",
            "data":{"shop_id":1,"shipped_at":"2026-11-22 13:20:00+00:00","carrier":{"code":"GHN","tracking_number":"PX1"},"skus":["MUG"]}}}"#;
        let draft = read_one("printify", hook);
        assert_eq!(draft.order, OrderRef::Alias("printify:5cb8".into()));
        assert_eq!(
            (draft.milestone, draft.time.to_rfc3339().as_str()),
            (Milestone::ShipmentHandedOver, "2026-11-22T13:20:00+00:00")
        );
        assert_eq!(
            (draft.data.skus, draft.reveals),
            (vec!["MUG".to_owned()], vec!["tracking:PX1".to_owned()])
        );
    }

    #[test]
    fn what_is_of_no_order_says_nothing() {
        let task = r#"{"id":"p-4","type":"personalization-preview-task:processed","created_at":"2026-11-22 13:24:28+00:00","resource":{"id":"t1","type":"task","data":{}}}"#;
        assert!(read_all("printify", task).is_empty());
    }

    #[test]
    fn a_delivery_has_its_own_time_and_a_product_is_no_order() {
        let hook = r#"{"id":"p-3","type":"order:shipment:delivered","created_at":"2026-11-24 13:24:28+00:00","resource":{"id":"5cb8","type":"order",
            "data":{"shipped_at":"2026-11-22 13:20:00+00:00","delivered_at":"2026-11-24 13:20:00+00:00","carrier":{"code":"GHN","tracking_number":"PX1"}}}}"#;
        assert_eq!(read_one("printify", hook).time.to_rfc3339(), "2026-11-24T13:20:00+00:00");
        let product = hook.replace("order:shipment:delivered", "product:publish:started");
        assert!(read_all("printify", &product).is_empty());
    }

    #[test]
    fn an_update_says_its_status() {
        let hook = r#"{"id":"p-2","type":"order:updated","created_at":"2026-11-22 13:24:28+00:00","resource":{"id":"5cb8","data":{"status":"quality-declined"}}}"#;
        assert_eq!(read_one("printify", hook).milestone, Milestone::DesignProofRejected);
    }
}
