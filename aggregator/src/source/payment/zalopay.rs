//! `source.zalopay`: ZaloPay's callback. It comes on success only; the fields are a JSON text
//! inside the JSON, because that text is what is signed.

use crate::draft::Draft;
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse};
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, code, meaning};
use crate::source::time::millis;
use chrono_tz::Asia::Ho_Chi_Minh;
use contract::event::Money;
use contract::milestone::Milestone;
use serde_json::{Value, json};

pub(in crate::source) const SOURCE: Source = Source {
    name: "zalopay",
    about: "ZaloPay, callback: `type` (only success is called back)",
    order: "`app_trans_id` after its date (`yymmdd_`)",
    time: "`server_time`, Unix milliseconds",
    zone: Ho_Chi_Minh,
    table: TABLE,
    read,
};

const TABLE: &[Code] = &[code("1", Milestone::PaymentPaid), code("2", Milestone::InfoIgnored)];

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    let value = parse(record.value)?;
    let outer = Doc::of(&value);
    // The first version has none, and is called back for orders only.
    let kind = outer.text("type").unwrap_or_else(|| "1".to_owned());
    // An agreement to pay is no payment.
    if kind == "2" {
        return Ok(Vec::new());
    }
    let inner = parse(outer.need("data")?.as_bytes())?;
    let doc = Doc::of(&inner);
    let transaction = doc.need_any(&["app_trans_id", "apptransid"])?;
    let own: Value = json!({ "order": after_date(&transaction) });
    let order = match &record.options.order {
        Some(_) => record.order(doc, &[], None)?,
        None => record.order(Doc::of(&own), &["order"], None)?,
    };
    let time = doc.number("server_time").or_else(|| doc.number("servertime"));
    let time = time.ok_or_else(|| Refusal::Shape("`server_time` is missing".to_owned()))?;
    let id = doc.any(&["zp_trans_id", "zptransid"]).unwrap_or(transaction);
    let mut draft = meaning(TABLE, record, &kind).draft(SOURCE.name, id, millis(time)?, order);
    draft.data.money =
        doc.number("amount").map(|amount| Money { amount, currency: "VND".to_owned() });
    Ok(vec![draft])
}

/// `261120_TM-1042` is the order TM-1042.
fn after_date(transaction: &str) -> &str {
    match transaction.split_once('_') {
        Some((date, rest)) if date.len() == 6 && date.bytes().all(|b| b.is_ascii_digit()) => rest,
        _ => transaction,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::OrderRef;
    use crate::source::tests::{read_all, read_one};

    #[test]
    fn the_order_stands_after_the_date() {
        let data = r#"{"app_id":2553,"app_trans_id":"261120_T-62","amount":90000,"zp_trans_id":261120000000389,"server_time":1795140000000}"#;
        let hook = json!({"data": data, "mac": "00", "type": 1}).to_string();
        let draft = read_one("zalopay", &hook);
        assert_eq!(draft.order, OrderRef::Order("T-62".parse().unwrap()));
        assert_eq!(
            (draft.milestone, draft.id.as_str()),
            (Milestone::PaymentPaid, "261120000000389")
        );
        assert_eq!(after_date("gift_1"), "gift_1");
    }

    #[test]
    fn an_agreement_is_no_payment() {
        let data = r#"{"app_id":2553,"app_trans_id":"261120_1353","binding_id":"261120_1353","status":1,"server_time":1795140000}"#;
        let hook = json!({"data": data, "mac": "00", "type": 2}).to_string();
        assert!(read_all("zalopay", &hook).is_empty());
    }

    #[test]
    fn the_first_version_is_read_too() {
        let data = r#"{"appid":3,"apptransid":"261120_T-63","amount":90000,"zptransid":261120000000390,"servertime":1795140000000,"channel":38}"#;
        let draft = read_one("zalopay", &json!({"data": data, "mac": "00"}).to_string());
        assert_eq!(draft.order, OrderRef::Order("T-63".parse().unwrap()));
        assert_eq!(draft.milestone, Milestone::PaymentPaid);
    }
}
