//! `source.stripe`: Stripe's events. The order is `metadata.order_id` of the object; an event
//! without it (a charge, a dispute) is known by its payment intent.

use crate::draft::Draft;
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse};
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, Meaning, code, meaning};
use crate::source::time::seconds;
use chrono_tz::UTC;
use contract::event::Money;
use contract::milestone::Milestone;
use serde_json::Value;

pub(in crate::source) const SOURCE: Source = Source {
    name: "stripe",
    about: "Stripe: event type (a checkout session is paid when it says so; a refund of less than the charge is a partial one; of a charge with a payment intent the intent tells)",
    order: "`metadata.order_id` or `client_reference_id` of the object, else the alias `stripe:<payment intent or charge>`",
    time: "`created`, Unix seconds",
    zone: UTC,
    table: TABLE,
    read,
};

const TABLE: &[Code] = &[
    code("payment_intent.created", Milestone::PaymentPending),
    code("payment_intent.processing", Milestone::PaymentPending),
    code("payment_intent.requires_action", Milestone::PaymentPending),
    code("payment_intent.amount_capturable_updated", Milestone::PaymentAuthorized),
    code("payment_intent.succeeded", Milestone::PaymentPaid),
    code("payment_intent.payment_failed", Milestone::PaymentFailed),
    // A cancelled intent is a payment that will not come; the order is the shop's to cancel.
    code("payment_intent.canceled", Milestone::PaymentFailed).because("cancelled"),
    code("checkout.session.completed", Milestone::PaymentPaid),
    code("checkout.session.async_payment_succeeded", Milestone::PaymentPaid),
    code("checkout.session.async_payment_failed", Milestone::PaymentFailed),
    code("checkout.session.expired", Milestone::InfoIgnored),
    code("charge.succeeded", Milestone::InfoIgnored),
    code("charge.captured", Milestone::InfoIgnored),
    code("charge.updated", Milestone::InfoIgnored),
    code("charge.pending", Milestone::InfoIgnored),
    code("charge.failed", Milestone::InfoIgnored),
    code("charge.expired", Milestone::InfoIgnored),
    code("charge.refunded", Milestone::PaymentRefunded),
    code("charge.refund.updated", Milestone::InfoIgnored),
    code("refund.created", Milestone::PaymentRefundPending),
    code("refund.updated", Milestone::InfoIgnored),
    code("refund.failed", Milestone::InfoIgnored),
    code("charge.dispute.created", Milestone::PaymentDisputed),
    code("charge.dispute.updated", Milestone::InfoIgnored),
    code("charge.dispute.closed", Milestone::InfoIgnored),
    code("charge.dispute.funds_withdrawn", Milestone::InfoIgnored),
    code("charge.dispute.funds_reinstated", Milestone::InfoIgnored),
];

/// What the type means for this object.
fn said(record: &Record<'_>, kind: &str, object: Doc<'_>) -> Meaning {
    let said = meaning(TABLE, record, kind);
    let is = |field: &str, texts: &[&str]| {
        object.text(field).is_some_and(|text| texts.contains(&text.as_str()))
    };
    match kind {
        // A card is kept for later; nothing is bought.
        "checkout.session.completed" if is("mode", &["setup"]) => said.but(Milestone::InfoIgnored),
        "checkout.session.completed" if !is("payment_status", &["paid", "no_payment_required"]) => {
            said.but(Milestone::PaymentPending)
        }
        "charge.refunded" if !is_whole(object) => said.but(Milestone::PaymentPartiallyRefunded),
        // Money that is back already is told by the charge; money that will not come, by nobody.
        "refund.created" if is("status", &["succeeded", "failed", "canceled"]) => {
            said.but(Milestone::InfoIgnored)
        }
        _ if object.at("payment_intent").is_there() => said,
        _ => alone(kind, object).map_or(said.clone(), |milestone| said.but(milestone)),
    }
}

/// Is the whole charge refunded?
fn is_whole(charge: Doc<'_>) -> bool {
    match charge.value().get("refunded") {
        Some(Value::Bool(whole)) => *whole,
        _ => charge.number("amount_refunded") >= charge.number("amount"),
    }
}

/// What a charge without a payment intent says: nobody else tells of its money.
fn alone(kind: &str, charge: Doc<'_>) -> Option<Milestone> {
    let captured = charge.value().get("captured") != Some(&Value::Bool(false));
    Some(match kind {
        "charge.succeeded" if captured => Milestone::PaymentPaid,
        "charge.succeeded" => Milestone::PaymentAuthorized,
        "charge.captured" => Milestone::PaymentPaid,
        "charge.pending" => Milestone::PaymentPending,
        "charge.failed" | "charge.expired" => Milestone::PaymentFailed,
        _ => return None,
    })
}

/// What else the order is called by: its payment intent first, which most objects name.
fn aliases(object: Doc<'_>) -> Vec<String> {
    let intent = if object.text("object").as_deref() == Some("payment_intent") { "id" } else { "" };
    let fields = [
        intent,
        "payment_intent",
        "payment_intent.id",
        // A refund, a dispute: the charge is what others tell of.
        "charge",
        "charge.id",
        "id",
        "latest_charge",
        "charges.data.0.id",
    ];
    // A customer's or a payout's id names no order.
    let of_order = |id: &String| {
        ["pi_", "ch_", "py_", "re_", "dp_", "du_", "cs_"].iter().any(|p| id.starts_with(p))
    };
    let ids = fields.iter().filter_map(|field| object.text(field)).filter(of_order);
    ids.map(|id| format!("stripe:{id}")).collect()
}

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    let value = parse(record.value)?;
    let doc = Doc::of(&value);
    // What they call thin events: they name an object, and tell nothing of it.
    if doc.text("object").as_deref() == Some("v2.core.event") {
        return Ok(Vec::new());
    }
    let (id, kind, object) = (doc.need("id")?, doc.need("type")?, doc.at("data.object"));
    let created = doc.number("created");
    let created = created.ok_or_else(|| Refusal::Shape("`created` is missing".to_owned()))?;
    let mut names = aliases(object);
    let fields = ["metadata.order_id", "client_reference_id"];
    let said = said(record, &kind, object);
    let is_session = kind.starts_with("checkout.session.");
    let order = match record.order(object, &fields, names.first().cloned()) {
        Ok(order) => order,
        // A customer, a product, a payout: an address may be told of everything.
        Err(_) if said.is_unknown() => return Ok(Vec::new()),
        Err(refusal) => return Err(refusal),
    };
    let mut draft = said.draft(SOURCE.name, id, seconds(created)?, order);
    names.drain(..).for_each(|alias| draft.reveal(alias));
    // What a session tells, its intent tells too: of several payments each intent counts.
    draft.data.restates = draft.milestone == Milestone::PaymentPaid && is_session;
    // Less may be captured than was asked for.
    let amounts: &[&str] = match draft.milestone {
        Milestone::PaymentRefunded | Milestone::PaymentPartiallyRefunded => &["amount_refunded"],
        Milestone::PaymentPaid => &["amount_received", "amount_captured"],
        _ => &[],
    };
    let told = amounts.iter().filter_map(|field| object.number(field)).find(|amount| *amount > 0);
    let amount = told.or_else(|| object.number("amount")).or_else(|| object.number("amount_total"));
    let currency = object.text("currency").unwrap_or_default().to_uppercase();
    draft.data.money = amount.map(|amount| Money { amount, currency });
    let failure = object.any(&[
        "last_payment_error.decline_code",
        "last_payment_error.code",
        "cancellation_reason",
        "failure_code",
    ]);
    draft.data.reason = failure.or(draft.data.reason.take());
    Ok(vec![draft])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::OrderRef;
    use crate::source::tests::{read_all, read_one, read_with_headers};

    fn one(kind: &str, object: &str) -> Draft {
        let record = format!(
            r#"{{"id":"evt_1","type":"{kind}","created":1795140000,"data":{{"object":{object}}}}}"#
        );
        read_one("stripe", &record)
    }

    #[test]
    fn an_intent_names_its_order_and_reveals_itself() {
        let object = r#"{"id":"pi_1","object":"payment_intent","amount":900,"currency":"usd","metadata":{"order_id":"T-1"}}"#;
        let draft = one("payment_intent.succeeded", object);
        assert_eq!(
            (draft.milestone.code(), draft.reveals),
            ("payment.paid", vec!["stripe:pi_1".to_owned()])
        );
        assert_eq!(draft.data.money.unwrap().currency, "USD");
    }

    #[test]
    fn what_only_names_an_object_tells_nothing() {
        let thin = r#"{"id":"evt_2","object":"v2.core.event","type":"v1.billing.meter.no_meter_found","created":"2026-11-20T01:00:00.000Z","related_object":null}"#;
        assert!(read_all("stripe", thin).is_empty());
    }

    #[test]
    fn a_refund_of_a_part_is_a_partial_one_and_is_known_by_its_intent() {
        let part = r#"{"id":"ch_1","object":"charge","amount":900,"amount_refunded":300,"payment_intent":"pi_1","metadata":{}}"#;
        let draft = one("charge.refunded", part);
        assert_eq!(draft.milestone.code(), "payment.partially_refunded");
        assert_eq!(draft.order, OrderRef::Alias("stripe:pi_1".into()));
        let whole = part.replace(":300", ":900");
        assert_eq!(one("charge.refunded", &whole).milestone.code(), "payment.refunded");
    }

    #[test]
    fn a_dispute_is_known_by_its_charge_and_a_refund_that_is_over_is_not_pending() {
        let dispute = r#"{"id":"dp_1","object":"dispute","charge":"ch_1","payment_intent":null}"#;
        let draft = one("charge.dispute.created", dispute);
        assert_eq!(draft.order, OrderRef::Alias("stripe:ch_1".into()));
        let refund = |status: &str| {
            let object = format!(
                r#"{{"id":"re_1","object":"refund","charge":"ch_1","status":"{status}","payment_intent":"pi_1"}}"#
            );
            one("refund.created", &object).milestone.code()
        };
        assert_eq!(refund("pending"), "payment.refund_pending");
        assert_eq!((refund("succeeded"), refund("failed")), ("info.ignored", "info.ignored"));
    }

    #[test]
    fn a_charge_without_an_intent_tells_of_its_money_itself() {
        let said = |kind: &str, more: &str| {
            one(kind, &format!(r#"{{"id":"ch_1","object":"charge"{more}}}"#)).milestone.code()
        };
        let uncaptured = r#","captured":false,"payment_intent":null"#;
        assert_eq!(said("charge.succeeded", r#","captured":true"#), "payment.paid");
        assert_eq!(said("charge.succeeded", uncaptured), "payment.authorized");
        assert_eq!(said("charge.captured", ""), "payment.paid");
        assert_eq!(said("charge.failed", ""), "payment.failed");
        assert_eq!(said("charge.succeeded", r#","payment_intent":"pi_1""#), "info.ignored");
        let session = r#"{"id":"cs_1","mode":"setup","payment_status":"no_payment_required"}"#;
        assert_eq!(one("checkout.session.completed", session).milestone.code(), "info.ignored");
    }

    #[test]
    fn what_was_captured_counts_and_other_things_than_payments_say_nothing() {
        let part = r#"{"id":"pi_1","object":"payment_intent","amount":2000,"amount_received":1500,"currency":"usd"}"#;
        let draft = one("payment_intent.succeeded", part);
        assert_eq!(draft.data.money.unwrap().amount, 1500);
        assert!(!draft.data.restates, "each intent is a payment");
        let session = r#"{"id":"cs_1","payment_intent":"pi_1","payment_status":"paid","amount_total":2000,"currency":"usd"}"#;
        assert!(one("checkout.session.completed", session).data.restates, "it says it again");
        let customer = r#"{"id":"evt_2","type":"customer.created","created":1795140000,"data":{"object":{"id":"cus_1"}}}"#;
        assert!(read_all("stripe", customer).is_empty());
        let nameless = customer.replace("customer.created", "charge.succeeded");
        assert_eq!(read_with_headers("stripe", &nameless, &[]).unwrap_err().label(), "bad_id");
    }

    #[test]
    fn a_type_that_is_not_in_the_table_is_kept_as_info() {
        let draft = one("payment_intent.sneezed", r#"{"id":"pi_1","object":"payment_intent"}"#);
        assert_eq!(draft.milestone, Milestone::InfoIgnored);
        assert_eq!(draft.data.source_code.as_deref(), Some("payment_intent.sneezed"));
    }
}
