//! `source.vnpay`: VNPay's IPN, a GET whose query is the record; its fields as a JSON object are
//! read as well. Paid is only what both codes call so; amounts are hundredfold.

use crate::draft::Draft;
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse_or_form};
use crate::source::field::hashed_id;
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, code, meaning};
use crate::source::time::{When, when};
use chrono_tz::Asia::Ho_Chi_Minh;
use contract::event::Money;
use contract::milestone::Milestone;

pub(in crate::source) const SOURCE: Source = Source {
    name: "vnpay",
    about: "VNPay, IPN: response code and transaction status; one that is not in the table is a failed payment, and listed",
    order: "`vnp_TxnRef`",
    time: "`vnp_PayDate`, yyyyMMddHHmmss, GMT+7; without it the receipt",
    zone: Ho_Chi_Minh,
    table: TABLE,
    read,
};

const TABLE: &[Code] = &[
    code("00/00", Milestone::PaymentPaid),
    code("status 01", Milestone::PaymentPending),
    code("status 02", Milestone::PaymentFailed).because("provider_error"),
    code("status 04", Milestone::PaymentFailed).because("reversed"),
    code("status 05", Milestone::PaymentRefundPending),
    code("status 06", Milestone::PaymentRefundPending),
    code("status 07", Milestone::PaymentFailed).because("suspected_fraud"),
    code("status 09", Milestone::InfoIgnored),
    code("07", Milestone::PaymentFailed).because("suspected_fraud"),
    code("09", Milestone::PaymentFailed).because("internet_banking_missing"),
    code("10", Milestone::PaymentFailed).because("authentication_failed"),
    code("11", Milestone::PaymentFailed).because("expired"),
    code("12", Milestone::PaymentFailed).because("account_locked"),
    code("13", Milestone::PaymentFailed).because("wrong_otp"),
    code("24", Milestone::PaymentFailed).because("cancelled"),
    code("51", Milestone::PaymentFailed).because("insufficient_funds"),
    code("65", Milestone::PaymentFailed).because("limit_exceeded"),
    code("75", Milestone::PaymentFailed).because("maintenance"),
    code("79", Milestone::PaymentFailed).because("wrong_password"),
    code("99", Milestone::PaymentFailed).because("unknown"),
];

/// A response that is an error says more than the status beside it. Version 2.0.0 has none: there the
/// response alone tells.
fn single(response: &str, status: Option<&str>) -> String {
    match (response, status) {
        ("00", Some("00") | None) => "00/00".to_owned(),
        ("00", Some(status)) | (_, Some(status @ ("01" | "04" | "05" | "06" | "09"))) => {
            format!("status {status}")
        }
        _ => response.to_owned(),
    }
}

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    let value = parse_or_form(record.value)?;
    let doc = Doc::of(&value);
    let response = doc.need("vnp_ResponseCode")?;
    let code = single(&response, doc.text("vnp_TransactionStatus").as_deref());
    let paid_at = doc.text("vnp_PayDate").map(|text| when(&text, Ho_Chi_Minh)).transpose()?;
    let order = record.order(doc, &["vnp_TxnRef"], None)?;
    let reference = doc.text("vnp_TxnRef").unwrap_or_default();
    let number = doc.text("vnp_TransactionNo").unwrap_or_default();
    let said = meaning(TABLE, record, &code);
    let said = if said.is_unknown() { said.but(Milestone::PaymentFailed) } else { said };
    // GMT+7 is documented: nothing is assumed.
    let time = When::sure(paid_at.map_or(record.received_at, |when| when.at));
    let mut draft = said.draft(SOURCE.name, hashed_id(&[&reference, &number, &code]), time, order);
    draft.data.money = doc
        .number("vnp_Amount")
        .map(|hundredfold| Money { amount: hundredfold / 100, currency: "VND".to_owned() });
    Ok(vec![draft])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::read_one;

    #[test]
    fn the_query_and_the_object_say_the_same() {
        let query = "vnp_Amount=25000000&vnp_OrderInfo=Thanh+toan&vnp_PayDate=20261120085803&vnp_ResponseCode=00&vnp_TransactionNo=142&vnp_TransactionStatus=00&vnp_TxnRef=T-61";
        let object = r#"{"vnp_Amount":25000000,"vnp_PayDate":"20261120085803","vnp_ResponseCode":"00","vnp_TransactionNo":"142","vnp_TransactionStatus":"00","vnp_TxnRef":"T-61"}"#;
        let draft = read_one("vnpay", query);
        assert_eq!(draft, read_one("vnpay", object));
        assert_eq!(
            (draft.milestone, draft.time.to_rfc3339().as_str()),
            (Milestone::PaymentPaid, "2026-11-20T01:58:03+00:00")
        );
        assert_eq!(draft.data.money.unwrap().amount, 250_000);
    }

    #[test]
    fn only_what_both_codes_call_paid_is() {
        let said = |response: &str, status: &str| {
            read_one(
                "vnpay",
                &format!(
                    "vnp_TxnRef=T-61&vnp_ResponseCode={response}&vnp_TransactionStatus={status}"
                ),
            )
            .milestone
        };
        assert_eq!(said("00", "01"), Milestone::PaymentPending);
        assert_eq!(said("24", "02"), Milestone::PaymentFailed);
        assert_eq!(said("00", "02"), Milestone::PaymentFailed);
        assert_eq!(said("77", "77"), Milestone::PaymentFailed);
    }

    #[test]
    fn before_there_was_a_status_the_response_told() {
        let said = |response: &str| {
            read_one("vnpay", &format!("vnp_TxnRef=T-61&vnp_ResponseCode={response}")).milestone
        };
        assert_eq!((said("00"), said("09")), (Milestone::PaymentPaid, Milestone::PaymentFailed));
    }
}
