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

pub(in crate::source) const SOURCE: Source = Source {
    name: "stripe",
    about: "Stripe: event type (a checkout session is paid when it says so; a refund of less than the charge is a partial one)",
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
    match kind {
        "checkout.session.completed"
            if !matches!(
                object.text("payment_status").as_deref(),
                Some("paid" | "no_payment_required")
            ) =>
        {
            said.but(Milestone::PaymentPending)
        }
        "charge.refunded" if object.number("amount_refunded") < object.number("amount") => {
            said.but(Milestone::PaymentPartiallyRefunded)
        }
        _ => said,
    }
}

/// What else the order is called by: its payment intent first, which most objects name.
fn aliases(object: Doc<'_>) -> Vec<String> {
    let intent = if object.text("object").as_deref() == Some("payment_intent") { "id" } else { "" };
    let fields = [
        intent,
        "payment_intent",
        "payment_intent.id",
        "id",
        "charge",
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
    let (id, kind, object) = (doc.need("id")?, doc.need("type")?, doc.at("data.object"));
    let created = doc.number("created");
    let created = created.ok_or_else(|| Refusal::Shape("`created` is missing".to_owned()))?;
    let mut names = aliases(object);
    let fields = ["metadata.order_id", "client_reference_id"];
    let order = record.order(object, &fields, names.first().cloned())?;
    let mut draft = said(record, &kind, object).draft(SOURCE.name, id, seconds(created)?, order);
    names.drain(..).for_each(|alias| draft.reveal(alias));
    let refund = kind == "charge.refunded";
    let amount = if refund {
        object.number("amount_refunded")
    } else {
        object.number("amount").or_else(|| object.number("amount_total"))
    };
    let currency = object.text("currency").unwrap_or_default().to_uppercase();
    draft.data.money = amount.map(|amount| Money { amount, currency });
    let failure = object.any(&[
        "last_payment_error.decline_code",
        "last_payment_error.code",
        "cancellation_reason",
    ]);
    draft.data.reason = failure.or(draft.data.reason.take());
    Ok(vec![draft])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::OrderRef;
    use crate::source::tests::read_one;

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
    fn a_refund_of_a_part_is_a_partial_one_and_is_known_by_its_intent() {
        let part = r#"{"id":"ch_1","object":"charge","amount":900,"amount_refunded":300,"payment_intent":"pi_1","metadata":{}}"#;
        let draft = one("charge.refunded", part);
        assert_eq!(draft.milestone.code(), "payment.partially_refunded");
        assert_eq!(draft.order, OrderRef::Alias("stripe:pi_1".into()));
        let whole = part.replace(":300", ":900");
        assert_eq!(one("charge.refunded", &whole).milestone.code(), "payment.refunded");
    }

    #[test]
    fn a_type_that_is_not_in_the_table_is_kept_as_info() {
        let draft = one("payment_intent.sneezed", r#"{"id":"pi_1","object":"payment_intent"}"#);
        assert_eq!(draft.milestone, Milestone::InfoIgnored);
        assert_eq!(draft.data.source_code.as_deref(), Some("payment_intent.sneezed"));
    }
}
