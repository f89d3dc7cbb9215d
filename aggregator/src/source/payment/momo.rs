//! `source.momo`: MoMo's instant payment notification.

use crate::draft::Draft;
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse_or_form};
use crate::source::field::hashed_id;
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, code, meaning};
use crate::source::time::{millis, when};
use chrono_tz::Asia::Ho_Chi_Minh;
use contract::event::Money;
use contract::milestone::Milestone;

pub(in crate::source) const SOURCE: Source = Source {
    name: "momo",
    about: "MoMo, IPN: `resultCode`; one that is not in the table is a failed payment, and listed",
    order: "`orderId`",
    time: "`responseTime`, Unix milliseconds; in the first version local",
    zone: Ho_Chi_Minh,
    table: TABLE,
    read,
};

const TABLE: &[Code] = &[
    code("0", Milestone::PaymentPaid),
    code("9000", Milestone::PaymentAuthorized),
    code("1000", Milestone::PaymentPending),
    code("7000", Milestone::PaymentPending),
    code("7002", Milestone::PaymentPending),
    // The buyer has to confirm again: not final.
    code("8000", Milestone::PaymentPending),
    code("10", Milestone::PaymentFailed).because("maintenance"),
    code("98", Milestone::PaymentFailed).because("qr_code"),
    code("99", Milestone::PaymentFailed).because("unknown"),
    code("1001", Milestone::PaymentFailed).because("insufficient_funds"),
    code("1002", Milestone::PaymentFailed).because("issuer_declined"),
    code("1003", Milestone::PaymentFailed).because("cancelled"),
    code("1004", Milestone::PaymentFailed).because("limit_exceeded"),
    code("1005", Milestone::PaymentFailed).because("expired"),
    code("1006", Milestone::PaymentFailed).because("denied_by_user"),
    code("1007", Milestone::PaymentFailed).because("account_inactive"),
    code("1017", Milestone::PaymentFailed).because("cancelled"),
    code("1026", Milestone::PaymentFailed).because("promotion_rules"),
    code("1080", Milestone::InfoIgnored),
    code("1081", Milestone::InfoIgnored),
    code("1088", Milestone::InfoIgnored),
    code("4001", Milestone::PaymentFailed).because("account_restricted"),
    code("4002", Milestone::PaymentFailed).because("not_verified"),
    code("4100", Milestone::PaymentFailed).because("login_failed"),
];

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    let value = parse_or_form(record.value)?;
    let doc = Doc::of(&value);
    let result = doc.need_any(&["resultCode", "errorCode"])?;
    // The first version writes a local time.
    let time = match doc.number("responseTime") {
        Some(number) => millis(number)?,
        None => when(&doc.need("responseTime")?, record.zone)?,
    };
    let order = record.order(doc, &["orderId"], None)?;
    let request = doc.any(&["requestId", "orderId"]).unwrap_or_default();
    let transaction = doc.text("transId").unwrap_or_default();
    let id = hashed_id(&[&request, &transaction, &result]);
    let said = meaning(TABLE, record, &result);
    let said = if said.is_unknown() { said.but(Milestone::PaymentFailed) } else { said };
    let mut draft = said.draft(SOURCE.name, id, time, order);
    draft.data.money =
        doc.number("amount").map(|amount| Money { amount, currency: "VND".to_owned() });
    draft.data.note = doc.text("message");
    Ok(vec![draft])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::read_one;

    fn one(code: i32) -> Draft {
        read_one(
            "momo",
            &format!(
                r#"{{"orderId":"T-60","requestId":"r1","amount":250000,"transId":77,"resultCode":{code},
            "message":"ok","responseTime":1795140000000,"extraData":""}}"#
            ),
        )
    }

    #[test]
    fn the_first_version_is_read_too() {
        let form = "partnerCode=M1&orderId=T-60&requestId=r1&amount=250000&transId=77&errorCode=0&message=Success&localMessage=Th%C3%A0nh+c%C3%B4ng&responseTime=2026-11-20+08%3A58%3A03";
        let draft = read_one("momo", form);
        let told = (draft.milestone, draft.time.to_rfc3339());
        assert_eq!(told, (Milestone::PaymentPaid, "2026-11-20T01:58:03+00:00".to_owned()));
    }

    #[test]
    fn codes_are_paid_pending_or_failed_with_a_reason() {
        assert_eq!(
            (one(0).milestone, one(0).data.money.unwrap().amount),
            (Milestone::PaymentPaid, 250_000)
        );
        for open in [1000, 7000, 7002, 8000] {
            assert_eq!(one(open).milestone, Milestone::PaymentPending, "{open}");
        }
        assert_eq!(one(1001).data.reason.as_deref(), Some("insufficient_funds"));
        let new = one(5555);
        assert_eq!(
            (new.milestone, new.data.source_code.as_deref()),
            (Milestone::PaymentFailed, Some("5555"))
        );
    }
}
