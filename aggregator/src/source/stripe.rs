//! `source.stripe`: Stripe's events. The order is `metadata.order_id` of the object; an event
//! without it (a charge, a dispute) is known by its payment intent.

use super::field::{filled, json, order, seconds};
use crate::draft::{Draft, OrderRef};
use crate::reject::Refusal;
use contract::event::Money;
use contract::milestone::Milestone;
use serde::Deserialize;
use std::collections::HashMap;

#[derive(Deserialize)]
struct Event {
    id: String,
    r#type: String,
    created: i64,
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    #[serde(rename = "object")]
    kind: Option<String>,
    #[serde(default)]
    amount: Option<i64>,
    #[serde(default)]
    amount_total: Option<i64>,
    #[serde(default)]
    amount_refunded: Option<i64>,
    #[serde(default)]
    currency: Option<String>,
    #[serde(default)]
    metadata: Option<HashMap<String, String>>,
    #[serde(default)]
    client_reference_id: Option<String>,
    #[serde(default)]
    payment_intent: Option<String>,
    #[serde(default)]
    payment_status: Option<String>,
    #[serde(default)]
    last_payment_error: Option<Failure>,
    #[serde(default)]
    cancellation_reason: Option<String>,
}

#[derive(Deserialize)]
struct Failure {
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    decline_code: Option<String>,
}

fn milestone(kind: &str, object: &Object) -> Option<Milestone> {
    Some(match kind {
        "payment_intent.created" | "payment_intent.processing" => Milestone::PaymentPending,
        "payment_intent.amount_capturable_updated" => Milestone::PaymentAuthorized,
        "payment_intent.succeeded" | "checkout.session.async_payment_succeeded" => {
            Milestone::PaymentPaid
        }
        "checkout.session.completed" => match object.payment_status.as_deref() {
            Some("paid" | "no_payment_required") => Milestone::PaymentPaid,
            _ => Milestone::PaymentPending,
        },
        // A cancelled intent is a payment that will not come; the order is the shop's to cancel.
        "payment_intent.payment_failed"
        | "payment_intent.canceled"
        | "checkout.session.async_payment_failed" => Milestone::PaymentFailed,
        "charge.refunded" if object.amount_refunded < object.amount => {
            Milestone::PaymentPartiallyRefunded
        }
        "charge.refunded" => Milestone::PaymentRefunded,
        "charge.dispute.created" => Milestone::PaymentDisputed,
        _ => return None,
    })
}

pub(super) fn read(value: &[u8]) -> Result<Vec<Draft>, Refusal> {
    let event: Event = json(value)?;
    let object = event.data.object;
    let mapped = milestone(&event.r#type, &object);
    let is_intent = object.kind.as_deref() == Some("payment_intent");
    let intent = if is_intent { object.id.clone() } else { object.payment_intent.clone() };
    let named = object.metadata.as_ref().and_then(|m| m.get("order_id").cloned());
    let named = filled(named.or(object.client_reference_id));
    let alias = filled(intent).map(|id| format!("stripe:{id}"));
    let order = match (&named, &alias) {
        (Some(text), _) => order(text)?,
        (None, Some(alias)) => OrderRef::Alias(alias.clone()),
        (None, None) => {
            return Err(Refusal::BadId(
                "neither metadata.order_id nor a payment intent".to_owned(),
            ));
        }
    };
    let milestone = mapped.unwrap_or(Milestone::InfoIgnored);
    let mut draft = Draft::new("stripe", event.id, milestone, seconds(event.created)?, order);
    if named.is_some() {
        draft.reveals.extend(alias);
    }
    let refund =
        matches!(milestone, Milestone::PaymentRefunded | Milestone::PaymentPartiallyRefunded);
    let amount =
        if refund { object.amount_refunded } else { object.amount.or(object.amount_total) };
    let currency = object.currency.unwrap_or_default().to_uppercase();
    draft.data.money = amount.map(|amount| Money { amount, currency });
    let failure = object.last_payment_error.and_then(|f| f.decline_code.or(f.code));
    draft.data.reason = failure.or(object.cancellation_reason);
    draft.data.source_code = mapped.is_none().then_some(event.r#type);
    Ok(vec![draft])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(kind: &str, object: &str) -> Draft {
        let record = format!(
            r#"{{"id":"evt_1","type":"{kind}","created":1795140000,"data":{{"object":{object}}}}}"#
        );
        read(record.as_bytes()).unwrap().remove(0)
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
