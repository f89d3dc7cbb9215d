//! `source.shop`: the order itself, from the shop's order system.

use crate::draft::Draft;
use crate::reject::{Refusal, excerpt};
use crate::source::field::{aliases, json, order};
use crate::source::spec::Source;
use crate::source::table::{Code, code, strict};
use crate::source::time::when;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Asia::Ho_Chi_Minh;
use contract::customer::Customer;
use contract::event::{Attribution, LineItem, Money};
use contract::milestone::Milestone;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Shop {
    event: String,
    order_no: String,
    at: String,
    #[serde(default)]
    customer: Option<Value>,
    #[serde(default)]
    items: Option<Vec<LineItem>>,
    #[serde(default)]
    promise: Option<Promise>,
    #[serde(default)]
    total: Option<Money>,
    #[serde(default)]
    attribution: Option<Attribution>,
    #[serde(default)]
    destination: Option<Destination>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    aliases: Option<Value>,
}

#[derive(Deserialize)]
struct Promise {
    #[serde(default)]
    latest: Option<NaiveDate>,
}

#[derive(Deserialize)]
struct Destination {
    #[serde(default)]
    province: Option<String>,
    #[serde(default)]
    country: Option<String>,
}

/// The shop's order system.
pub(in crate::source) const SOURCE: Source = Source {
    name: "shop",
    about: "the shop's order system; `aliases`, in any event or in `order.known_as`, are what others call the order (`printify:<its number there>`): what they say of it is found by them",
    order: "`order_no`",
    time: "`at`, RFC 3339",
    zone: Ho_Chi_Minh,
    table: TABLE,
    read: |record| read(record.value),
};

const TABLE: &[Code] = &[
    code("order.placed", Milestone::OrderPlaced),
    code("order.confirmed", Milestone::OrderConfirmed),
    code("order.on_hold", Milestone::OrderOnHold),
    code("order.cancelled", Milestone::OrderCancelled),
    code("order.contact_changed", Milestone::InfoIgnored),
    code("order.known_as", Milestone::InfoIgnored),
];

fn read(value: &[u8]) -> Result<Vec<Draft>, Refusal> {
    let shop: Shop = json(value)?;
    let milestone = strict(TABLE, &shop.event)?.milestone;
    let id = format!("{}:{}:{}", shop.order_no, shop.event, shop.at);
    let mut draft = Draft::new("shop", id, milestone, offset(&shop.at)?, order(&shop.order_no)?);
    draft.customer = shop.customer.map(customer).transpose()?;
    if draft.customer.is_none()
        && matches!(shop.event.as_str(), "order.placed" | "order.contact_changed")
    {
        return Err(Refusal::Shape(format!("{} names its customer", shop.event)));
    }
    if shop.event == "order.contact_changed" {
        draft.data.note = Some("contact_changed".to_owned());
    }
    draft.data.customer_id = draft.customer.as_ref().map(|c| c.id.to_string());
    draft.data.items = shop.items.unwrap_or_default();
    draft.data.promise = shop.promise.and_then(|p| p.latest);
    draft.data.money = shop.total;
    draft.data.attribution = shop.attribution;
    if let Some(destination) = shop.destination {
        draft.data.location = destination.province;
        draft.data.country = destination.country;
    }
    draft.data.reason = shop.reason;
    let names = shop.aliases.map(aliases).transpose()?.unwrap_or_default();
    if names.is_empty() && shop.event == "order.known_as" {
        return Err(Refusal::Shape("order.known_as tells `aliases`".to_owned()));
    }
    for name in names {
        draft.reveal(name);
    }
    Ok(vec![draft])
}

/// The shop's own clock always tells its offset.
fn offset(text: &str) -> Result<DateTime<Utc>, Refusal> {
    let read = when(text, Ho_Chi_Minh)?;
    if read.assumed { Err(Refusal::BadTime(excerpt(text))) } else { Ok(read.at) }
}

/// The customer's number is checked by name, so that a bad one is told apart from a bad shape.
fn customer(value: Value) -> Result<Customer, Refusal> {
    let id = value.get("id").and_then(Value::as_str).unwrap_or_default();
    let checked: Result<contract::id::CustomerId, _> = id.parse();
    checked.map_err(|error| Refusal::BadId(error.to_string()))?;
    serde_json::from_value(value).map_err(|error| Refusal::Shape(excerpt(&error.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::OrderRef;

    #[test]
    fn a_placed_order_tells_customer_items_and_promise() {
        let record = r#"{"event":"order.placed","order_no":"TM-7","at":"2026-11-20T01:58:03Z",
          "customer":{"id":"C-1","name":"Lê Minh","email":"minh@example.com","locale":"vi"},
          "items":[{"line":"1","sku":"LAMP-2","title":"Đèn khắc tên","quantity":1}],
          "promise":{"latest":"2026-11-27"},"total":{"amount":459000,"currency":"VND"}}"#;
        let drafts = read(record.as_bytes()).unwrap();
        assert_eq!(drafts[0].order, OrderRef::Order("TM-7".parse().unwrap()));
        assert_eq!(drafts[0].data.items[0].title.as_deref(), Some("Đèn khắc tên"));
        assert_eq!(drafts[0].data.promise.unwrap().to_string(), "2026-11-27");
        assert_eq!(drafts[0].customer.as_ref().unwrap().locale.as_deref(), Some("vi"));
    }

    #[test]
    fn what_the_shop_never_says_is_refused_by_name() {
        let refused = |text: &str| read(text.as_bytes()).unwrap_err().label();
        assert_eq!(
            refused(r#"{"event":"order.sung","order_no":"T","at":"2026-11-20T01:58:03Z"}"#),
            "unknown_status"
        );
        assert_eq!(
            refused(r#"{"event":"order.placed","order_no":"T","at":"2026-11-20T01:58:03Z"}"#),
            "shape"
        );
        let long = format!(
            r#"{{"event":"order.confirmed","order_no":"{}","at":"2026-11-20T01:58:03Z"}}"#,
            "9".repeat(500)
        );
        assert_eq!(refused(&long), "bad_id");
        let known = r#"{"event":"order.known_as","order_no":"T","at":"2026-11-20T01:58:03Z"}"#;
        assert_eq!(refused(known), "shape", "as what?");
        assert_eq!(refused("{"), "not_json");
    }
}
