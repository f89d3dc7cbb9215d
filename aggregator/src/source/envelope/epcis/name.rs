//! What an event calls its order, and what it tells others by: the purchase order, and the things that it
//! happened to.

use super::short;
use crate::draft::{Draft, OrderRef};
use crate::reject::Refusal;
use crate::source::doc::Doc;
use crate::source::field::{hashed_id, order};
use crate::source::record::Record;

/// The purchase order; else what it happened to; a document that names other transactions alone
/// means the first.
pub(super) fn buyer_order(record: &Record<'_>, event: Doc<'_>) -> Result<OrderRef, Refusal> {
    if record.options.order.is_some() {
        return record.order(event, &[], None);
    }
    let list = || event.each("bizTransactionList");
    let purchase = list().find(|t| t.text("type").is_none_or(|kind| short(&kind) == "po"));
    let number = |transaction: Doc<'_>| transaction.text("bizTransaction");
    let named = |text: String| order(text.rsplit([':', '/']).next().unwrap_or(&text));
    match (purchase.and_then(number), things(event).next(), list().next().and_then(number)) {
        (Some(purchase), ..) => named(purchase),
        (_, Some(thing), _) => Ok(OrderRef::Alias(alias(&thing))),
        (.., Some(other)) => named(other),
        _ => Err(Refusal::BadId("neither `bizTransactionList` nor what it happened to".to_owned())),
    }
}

/// Most things of one event by which others find its order.
const MOST: usize = 20;

/// What it happened to: outputs first, since it is they that go on.
pub(super) fn things(event: Doc<'_>) -> impl Iterator<Item = String> {
    let listed = ["outputEPCList", "epcList", "childEPCs", "inputEPCList"];
    let listed = listed.into_iter().flat_map(move |list| event.each(list));
    let named = listed.filter_map(|thing| thing.value().as_str().map(str::to_owned));
    named.chain(event.text("parentID")).take(MOST)
}

fn alias(thing: &str) -> String {
    format!("epcis:{thing}")
}

/// An event that names the order tells what the order is made of; another one, what a thing of it is
/// packed in (what else is in there may be another order's).
pub(super) fn reveal(draft: &mut Draft, event: Doc<'_>) {
    // First what all of it is packed in: that is what is scanned from now on.
    let packs = event.text("action").as_deref() != Some("DELETE");
    let unit = event.text("parentID").filter(|_| packs).into_iter();
    let known = matches!(draft.order, OrderRef::Order(_));
    let rest = known.then(|| things(event)).into_iter().flatten();
    unit.chain(rest).for_each(|thing| draft.reveal(alias(&thing)));
}

/// An id of what it says, where it has none: two boxes may be packed in one second.
pub(super) fn content_id(event: Doc<'_>, told: [&str; 3]) -> String {
    let first = event.any(&["epcList.0", "outputEPCList.0", "transformationID"]);
    let first = first.unwrap_or_default();
    let packed = ["parentID", "childEPCs.0", "action"].map(|part| event.text(part));
    let packed = packed.map(Option::unwrap_or_default);
    let of_box = event.at("childEPCs").is_there() || event.at("parentID").is_there();
    let parts = told.into_iter().chain([first.as_str()]);
    let box_parts = packed.iter().map(String::as_str).filter(|_| of_box);
    hashed_id(&parts.chain(box_parts).collect::<Vec<_>>())
}
