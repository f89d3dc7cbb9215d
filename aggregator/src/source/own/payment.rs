//! `source.payment`: the shop's own payment system.

use crate::draft::Draft;
use crate::reject::Refusal;
use crate::source::field::{filled, json, order};
use crate::source::spec::Source;
use crate::source::table::{Code, code, strict};
use crate::source::time::millis;
use chrono_tz::UTC;
use contract::event::Money;
use contract::milestone::Milestone;
use serde::Deserialize;

#[derive(Deserialize)]
struct Payment {
    event_id: String,
    r#type: String,
    order_no: String,
    #[serde(default)]
    amount: Option<i64>,
    #[serde(default)]
    currency: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    occurred_at_ms: i64,
}

/// The shop's payment system.
pub(in crate::source) const SOURCE: Source = Source {
    name: "payment",
    about: "the shop's payment system",
    order: "`order_no`",
    time: "`occurred_at_ms`, Unix milliseconds",
    zone: UTC,
    table: TABLE,
    read: |record| read(record.value),
};

const TABLE: &[Code] = &[
    code("pending", Milestone::PaymentPending),
    code("authorized", Milestone::PaymentAuthorized),
    code("captured", Milestone::PaymentPaid),
    code("failed", Milestone::PaymentFailed),
    code("cod_due", Milestone::PaymentCodDue),
    code("refund_pending", Milestone::PaymentRefundPending),
    // Whether it is all of it depends on what was captured: the fold tells.
    code("refunded", Milestone::PaymentRefunded),
    code("disputed", Milestone::PaymentDisputed),
];

fn read(value: &[u8]) -> Result<Vec<Draft>, Refusal> {
    let payment: Payment = json(value)?;
    let milestone = strict(TABLE, &payment.r#type)?.milestone;
    let time = millis(payment.occurred_at_ms)?.at;
    let mut draft =
        Draft::new("payment", payment.event_id, milestone, time, order(&payment.order_no)?);
    let currency = payment.currency.unwrap_or_else(|| "VND".to_owned());
    draft.data.money = payment.amount.map(|amount| Money { amount, currency });
    draft.data.reason = filled(payment.reason);
    Ok(vec![draft])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_the_table_has_its_milestone() {
        let table = [
            ("pending", "payment.pending"),
            ("authorized", "payment.authorized"),
            ("captured", "payment.paid"),
            ("failed", "payment.failed"),
            ("cod_due", "payment.cod_due"),
            ("refund_pending", "payment.refund_pending"),
            ("refunded", "payment.refunded"),
            ("disputed", "payment.disputed"),
        ];
        for (kind, code) in table {
            let record = format!(
                r#"{{"event_id":"p1","type":"{kind}","order_no":"T-1","amount":5,"currency":"VND","occurred_at_ms":1795140000000}}"#
            );
            assert_eq!(read(record.as_bytes()).unwrap()[0].milestone.code(), code);
        }
    }
}
