//! `source.ghsv`: Giao Hàng Siêu Việt's callback. It sends a sentence instead of a code and no
//! time of the event: the sentence is matched without case, accents and spaces, and the time is
//! that of receipt unless it says when it was delivered.

use crate::draft::{Draft, tracking_alias};
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse};
use crate::source::field::{hashed_id, plain};
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, code, meaning};
use crate::source::time::{When, when};
use chrono_tz::Asia::Ho_Chi_Minh;
use contract::milestone::Milestone;

pub(in crate::source) const SOURCE: Source = Source {
    name: "ghsv",
    about: "Giao Hàng Siêu Việt, order update: a sentence, matched without case and accents",
    order: "`client_code`, else the parcel (`required_code`)",
    time: "`delivery_time` once delivered, else the receipt",
    zone: Ho_Chi_Minh,
    table: TABLE,
    read,
};

const TABLE: &[Code] = &[
    code("cho xac nhan", Milestone::ShipmentLabelCreated),
    code("cho lay hang", Milestone::ShipmentLabelCreated),
    code("dang lay hang", Milestone::ShipmentLabelCreated),
    code("da lay hang", Milestone::ShipmentHandedOver),
    code("da nhap kho", Milestone::ShipmentInTransit),
    code("dang van chuyen", Milestone::ShipmentInTransit),
    code("dang chuyen kho giao", Milestone::ShipmentInTransit),
    code("da chuyen kho giao", Milestone::ShipmentInTransit),
    code("dang giao hang", Milestone::ShipmentOutForDelivery),
    code("hoan giao hang", Milestone::ShipmentAttemptFailed).because("carrier_delay"),
    code("khong giao duoc", Milestone::ShipmentAttemptFailed),
    code("da giao hang", Milestone::ShipmentDelivered),
    code("da giao hang toan bo", Milestone::ShipmentDelivered),
    code("da giao hang mot phan", Milestone::ShipmentDelivered),
    code("xac nhan hoan", Milestone::ShipmentReturnPending),
    code("dang chuyen kho tra", Milestone::ShipmentReturning),
    code("da chuyen kho tra toan bo", Milestone::ShipmentReturning),
    code("dang chuyen kho tra toan bo", Milestone::ShipmentReturning),
    // The buyer has the rest.
    code("da chuyen kho tra mot phan", Milestone::InfoIgnored),
    code("chuyen hoan", Milestone::ShipmentReturning),
    code("hoan tra hang", Milestone::ShipmentReturning),
    code("dang tra hang", Milestone::ShipmentReturning),
    code("da tra hang toan bo", Milestone::ShipmentReturned),
    code("da tra hang mot phan", Milestone::InfoIgnored),
    code("huy", Milestone::OrderCancelled),
    code("da huy", Milestone::OrderCancelled),
    code("dang xu ly", Milestone::InfoIgnored),
    // Money between shop and carrier.
    code("da doi soat giao hang", Milestone::InfoIgnored),
    code("da doi soat tra hang", Milestone::InfoIgnored),
    code("da duoc doi soat", Milestone::InfoIgnored),
];

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    let value = parse(record.value)?;
    let doc = Doc::of(&value);
    let status = doc.need("status")?;
    // A time that cannot be read is none: the sentence is the news.
    let delivered = doc.text("delivery_time").and_then(|text| when(&text, record.zone).ok());
    let parcel = doc.text("required_code");
    let alias = parcel.as_deref().map(tracking_alias);
    let order = record.order(doc, &["client_code"], alias)?;
    let said = meaning(TABLE, record, &plain(&status)).of_part(doc.flag("signpart"));
    let client = doc.text("client_code").unwrap_or_default();
    let attempt = doc.text("audit_code").unwrap_or_default();
    // A second round is another day's; the same sentence of one day is the same event.
    let day = record.received_at.with_timezone(&record.zone).date_naive().to_string();
    let number = parcel.as_deref().unwrap_or("");
    let id = hashed_id(&[&client, number, &plain(&status), &attempt, &day]);
    let time = delivered.unwrap_or(When::sure(record.received_at));
    let mut draft = said.draft("ghsv", id, time, order);
    draft.parcel("ghsv", parcel);
    draft.data.restates = true;
    draft.data.note = Some(status);
    Ok(vec![draft])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::OrderRef;
    use crate::source::tests::read_one;

    #[test]
    fn a_sentence_is_matched_however_it_is_written() {
        for text in
            ["Đang Giao Hàng", "đang  giao hàng", "ĐANG GIAO HÀNG", "\u{110}ang Giao Ha\u{300}ng"]
        {
            let draft = read_one(
                "ghsv",
                &format!(
                    r#"{{"status":"{text}","client_code":"T-6","required_code":"Y1","delivery_time":null}}"#
                ),
            );
            assert_eq!(draft.milestone, Milestone::ShipmentOutForDelivery, "{text}");
        }
        let delivered = r#"{"status":"Đã Giao Hàng","client_code":"","required_code":"Y1","delivery_time":"22-11-2026 15:50"}"#;
        let draft = read_one("ghsv", delivered);
        assert_eq!(draft.time.to_rfc3339(), "2026-11-22T08:50:00+00:00");
        assert_eq!(draft.order, OrderRef::Alias("tracking:Y1".into()));
        let unknown = read_one("ghsv", r#"{"status":"Đang bay","client_code":"T-6"}"#);
        assert_eq!(
            (unknown.milestone, unknown.data.source_code.as_deref()),
            (Milestone::InfoIgnored, Some("dang bay"))
        );
    }
}
