//! Events that are read off a whole order.

use crate::draft::{Draft, OrderRef};
use crate::reject::Refusal;
use crate::source::doc::Doc;
use crate::source::field::hashed_id;
use crate::source::table::Meaning;
use crate::source::time::When;
use contract::customer::Customer;
use contract::event::{LineItem, Money};
use contract::milestone::Milestone;

/// A record of a whole order: what it says, it may have said before.
pub(in crate::source) struct Snapshot<'a> {
    /// The platform.
    pub(in crate::source) source: &'a str,
    /// The platform's number of the order.
    pub(in crate::source) id: String,
    /// The order.
    pub(in crate::source) order: OrderRef,
    /// Another name that events of the platform use for it.
    pub(in crate::source) alias: String,
}

impl Snapshot<'_> {
    /// A draft of something that the order says of itself.
    pub(in crate::source) fn draft(&self, said: Meaning, what: &str, when: When) -> Draft {
        let at = when.at.to_rfc3339();
        let id = hashed_id(&[&self.id, what, &at]);
        let mut draft = said.draft(self.source, id, when, self.order.clone());
        draft.data.restates = true;
        draft.reveal(self.alias.clone());
        draft
    }

    /// The draft that makes the order known.
    pub(in crate::source) fn placed(
        &self,
        when: When,
        updated: When,
        customer: Customer,
        items: Vec<LineItem>,
        money: Option<Money>,
    ) -> Draft {
        let said = Meaning::plain(Milestone::OrderPlaced);
        let mut draft = self.draft(said, "placed", when);
        // An edited order is placed at the same time as before: the newest edition sorts last.
        draft.id = format!("{}-{}", updated.at.timestamp_millis(), draft.id);
        draft.customer_at = Some(updated.at);
        draft.data.customer_id = Some(customer.id.to_string());
        draft.customer = Some(customer);
        draft.data.items = items;
        draft.data.money = money;
        draft
    }
}

/// The customer, by the first of these numbers that can be one; a guest has the order's.
pub(in crate::source) fn customer(
    doc: Doc<'_>,
    numbers: &[&str],
    order: &OrderRef,
) -> Result<Customer, Refusal> {
    let number = numbers.iter().filter_map(|path| doc.text(path)).find(|text| text != "0");
    let guest = match order {
        OrderRef::Order(order) => order.to_string(),
        OrderRef::Alias(alias) => alias.clone(),
    };
    let id = number.unwrap_or(guest);
    Ok(Customer {
        id: id.parse().map_err(|error: contract::id::IdError| Refusal::BadId(error.to_string()))?,
        name: None,
        email: None,
        phone: None,
        locale: None,
        time_zone: None,
    })
}

/// The order's lines.
pub(in crate::source) fn lines(doc: Doc<'_>) -> Vec<LineItem> {
    let pieces = |item: &Doc<'_>| {
        let left = item.number("current_quantity").or_else(|| item.number("quantity"));
        left.and_then(|n| u32::try_from(n).ok()).unwrap_or(1)
    };
    let ordered = |item: &Doc<'_>| item.number("quantity").and_then(|n| u32::try_from(n).ok());
    let line = |item: &Doc<'_>, quantity: u32| {
        Some(LineItem {
            line: item.text("id")?,
            sku: item.text("sku"),
            title: item.any(&["name", "title"]),
            quantity,
            unit_price: None,
            discount: None,
        })
    };
    let all: Vec<Doc<'_>> = doc.each("line_items").collect();
    // What was taken out of an order stays in the list, with no piece left.
    let left: Vec<LineItem> =
        all.iter().filter(|i| pieces(i) > 0).filter_map(|i| line(i, pieces(i))).collect();
    if !left.is_empty() {
        return left;
    }
    // Nothing is left of an order that was called off: it is shown as it was.
    all.iter().filter_map(|item| line(item, ordered(item).unwrap_or(1))).collect()
}
