//! Records as the shop's systems and its vendors write them, each in its own way.

use super::catalog::Product;
use super::people::Person;
use chrono::{DateTime, FixedOffset, NaiveDate, Offset, SecondsFormat, Utc};
use serde_json::{Value, json};

/// A record for a topic.
#[derive(Debug, Clone, PartialEq)]
pub struct Native {
    /// When the source says that it happened.
    pub at: DateTime<Utc>,
    /// Topic.
    pub topic: &'static str,
    /// Value; a text is a body that is no JSON: a form.
    pub value: Value,
}

impl Native {
    /// The bytes as the source writes them.
    #[must_use]
    pub fn body(&self) -> String {
        match &self.value {
            Value::String(form) => form.clone(),
            json => json.to_string(),
        }
    }
}

fn record(at: DateTime<Utc>, topic: &'static str, value: Value) -> Native {
    Native { at, topic, value }
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn vietnam(at: DateTime<Utc>) -> DateTime<FixedOffset> {
    let zone = FixedOffset::east_opt(7 * 3600).unwrap_or_else(|| Utc.fix());
    at.with_timezone(&zone)
}

/// The shop: an order was placed.
#[must_use]
pub fn placed(
    at: DateTime<Utc>,
    order: &str,
    person: &Person,
    goods: &[(Product, u32)],
    promise: NaiveDate,
) -> Native {
    let item = |(place, (product, quantity)): (usize, &(Product, u32))| {
        json!({"line": (place + 1).to_string(), "sku": product.sku, "title": product.title,
               "quantity": quantity, "unit_price": product.price, "discount": 0})
    };
    let items: Vec<Value> = goods.iter().enumerate().map(item).collect();
    let value = json!({"event": "order.placed", "order_no": order, "at": instant(at), "customer": person.record(),
        "items": items, "promise": {"latest": promise.to_string()},
        "destination": {"province": person.province, "country": "VN"},
        "total": {"amount": total(goods), "currency": "VND"}, "attribution": {"code": null, "click": null}});
    record(at, "source.shop", value)
}

/// What the goods cost.
#[must_use]
pub fn total(goods: &[(Product, u32)]) -> i64 {
    goods.iter().map(|(product, quantity)| product.price * i64::from(*quantity)).sum()
}

/// The shop: anything else.
#[must_use]
pub fn shop(at: DateTime<Utc>, order: &str, event: &str, reason: Option<&str>) -> Native {
    record(
        at,
        "source.shop",
        json!({"event": event, "order_no": order, "at": instant(at), "reason": reason}),
    )
}

/// The payment system.
#[must_use]
pub fn payment(at: DateTime<Utc>, order: &str, kind: &str, amount: i64) -> Native {
    let value = json!({"event_id": format!("pay_{order}_{kind}"), "type": kind, "order_no": order, "amount": amount,
        "currency": "VND", "method": "momo", "occurred_at_ms": at.timestamp_millis()});
    record(at, "source.payment", value)
}

/// Stripe: an event about a payment intent.
#[must_use]
pub fn stripe(at: DateTime<Utc>, order: &str, kind: &str, amount: i64) -> Native {
    let intent = json!({"id": format!("pi_{order}"), "object": "payment_intent", "amount": amount, "currency": "vnd",
        "metadata": {"order_id": order}});
    let value = json!({"id": format!("evt_{order}_{}", kind.replace('.', "_")), "object": "event",
        "created": at.timestamp(), "type": kind, "livemode": false, "data": {"object": intent}});
    record(at, "source.stripe", value)
}

/// The workshop: one work order for each line.
#[must_use]
pub fn work(
    at: DateTime<Utc>,
    order: &str,
    line: usize,
    step: (&str, &str),
    station: &str,
    sequence: u32,
) -> Native {
    let value = json!({"workOrderId": format!("WO-{order}-{line}"), "orderNumber": order,
        "lineItemId": line.to_string(), "stage": step.0, "state": step.1, "station": station,
        "at": vietnam(at).to_rfc3339_opts(SecondsFormat::Secs, false), "sequence": sequence,
        "reason": (step.1 == "FAILED").then_some("maker_qc_reject")});
    record(at, "source.manufacturing", value)
}

/// A parcel, as the warehouse knows it.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// The warehouse's name for it.
    pub name: &'static str,
    /// Lines in it, with their pieces.
    pub lines: Vec<(usize, u32)>,
    /// Carrier.
    pub carrier: &'static str,
    /// The carrier's number.
    pub tracking: String,
}

/// The warehouse.
#[must_use]
pub fn fulfilment(at: DateTime<Utc>, order: &str, status: &str, parcel: &Parcel) -> Native {
    let held = |(line, pieces): &(usize, u32)| json!({"line": line.to_string(), "qty": pieces});
    let lines: Vec<Value> = parcel.lines.iter().map(held).collect();
    let value = json!({"id": format!("F-{order}-{}-{status}", parcel.name), "order": order, "status": status,
        "parcel": parcel.name, "lines": lines, "carrier": parcel.carrier, "tracking_code": parcel.tracking,
        "updated": vietnam(at).format("%d/%m/%Y %H:%M:%S").to_string()});
    record(at, "source.fulfilment", value)
}

/// A carrier, through the shop's hub.
#[must_use]
pub fn logistics(
    at: DateTime<Utc>,
    parcel: &Parcel,
    code: &str,
    place: &str,
    eta: Option<[DateTime<Utc>; 2]>,
) -> Native {
    let eta = eta.map(
        |[earliest, latest]| json!({"earliest": instant(earliest), "latest": instant(latest)}),
    );
    let value = json!({"id": format!("lg-{}-{code}-{}", parcel.tracking, at.timestamp()), "carrier": parcel.carrier,
        "tracking_number": parcel.tracking, "code": code, "ts": at.timestamp(), "location": {"name": place},
        "eta": eta, "reason": (code == "attempt_failed").then_some("consignee_customer_not_home"), "order_ref": null});
    record(at, "source.logistics", value)
}

/// GHN's own webhook.
#[must_use]
pub fn ghn(at: DateTime<Utc>, order: &str, parcel: &Parcel, status: &str, place: &str) -> Native {
    let value = json!({"OrderCode": parcel.tracking, "ClientOrderCode": order, "Status": status,
        "Type": "switch_status", "Time": instant(at), "Warehouse": place, "Reason": "", "ReasonCode": "",
        "CODAmount": 0, "Weight": 400, "ShopID": 7001});
    record(at, "source.ghn", value)
}
