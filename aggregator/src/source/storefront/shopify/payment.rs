//! Money that moves, or does not: transactions, refunds, disputes, and what is due at the door.

use super::{SOURCE, TABLE, at, belongs};
use crate::draft::{Draft, OrderRef};
use crate::reject::Refusal;
use crate::source::doc::Doc;
use crate::source::field::{money, plain};
use crate::source::record::Record;
use crate::source::table::{Meaning, meaning};
use crate::source::time::When;
use contract::milestone::Milestone;

/// The buyer's bank asks for the money back.
pub(super) fn dispute(doc: Doc<'_>, order: OrderRef) -> Result<Draft, Refusal> {
    let said = Meaning::plain(Milestone::PaymentDisputed);
    let id = format!("dispute:{}", doc.need("id")?);
    let mut draft = said.draft(SOURCE.name, id, at(doc, &["initiated_at"])?, order);
    draft.data.reason = doc.text("reason");
    let currency = doc.text("currency").unwrap_or_default();
    draft.data.money = doc.text("amount").and_then(|amount| money(&amount, &currency));
    Ok(draft)
}

/// What is pending with cash on delivery is due at the door; a shop writes its way of paying in words.
pub(super) fn at_the_door<'a>(
    said: Meaning,
    mut gateways: impl Iterator<Item = Doc<'a>>,
) -> Meaning {
    const WORDS: [&str; 3] = ["cash on delivery", "cod", "thanh toan khi nhan hang"];
    let says = |gateway: Doc<'_>| {
        let words = format!(" {} ", plain(gateway.value().as_str().unwrap_or_default()));
        WORDS.iter().any(|word| words.contains(&format!(" {word} ")))
    };
    let pending = said.milestone == Milestone::PaymentPending;
    if pending && gateways.any(says) { said.but(Milestone::PaymentCodDue) } else { said }
}

/// Money is back when a transaction says so, not when a refund was asked for.
pub(super) fn refund(record: &Record<'_>, doc: Doc<'_>) -> Result<Vec<Draft>, Refusal> {
    let (id, order) = (doc.need("id")?, belongs(doc, record)?);
    let mut drafts = Vec::new();
    for one in doc.each("transactions") {
        let number = one.text("id").unwrap_or_else(|| format!("refund {id}"));
        let when = at(doc, &["processed_at", "created_at"]).ok();
        drafts.push(transaction(record, one, &number, when, order.clone())?);
    }
    if drafts.is_empty() {
        let said = Meaning::plain(Milestone::InfoIgnored);
        drafts.push(said.draft(SOURCE.name, id, at(doc, &["created_at", "processed_at"])?, order));
    }
    Ok(drafts)
}

/// Money moves, or does not. By the transaction's own number: it comes by itself, and with the refund
/// that it belongs to.
pub(super) fn transaction(
    record: &Record<'_>,
    doc: Doc<'_>,
    number: &str,
    otherwise: Option<When>,
    order: OrderRef,
) -> Result<Draft, Refusal> {
    let kind = doc.text("kind").unwrap_or_else(|| "refund".to_owned());
    let status = doc.text("status").unwrap_or_else(|| "success".to_owned());
    let told = at(doc, &["processed_at", "created_at"]);
    let when = told.or_else(|refused| otherwise.ok_or(refused))?;
    let said = meaning(TABLE, record, &format!("{kind} {status}"));
    let said = at_the_door(said, std::iter::once(doc.at("gateway")));
    let id = format!("transaction:{number}:{status}");
    let mut draft = said.draft(SOURCE.name, id, when, order);
    // The order's own record says that it is paid; each refund is one more.
    draft.data.restates = kind != "refund";
    let currency = doc.text("currency").unwrap_or_default();
    draft.data.money = doc.text("amount").and_then(|amount| money(&amount, &currency));
    Ok(draft)
}
