//! `source.nhattin`: Nhất Tín Logistics' bill webhook.

use crate::draft::{Draft, tracking_alias};
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse};
use crate::source::field::hashed_id;
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, code, meaning};
use crate::source::time::{expected, seconds};
use chrono_tz::Asia::Ho_Chi_Minh;
use contract::milestone::Milestone;

pub(in crate::source) const SOURCE: Source = Source {
    name: "nhattin",
    about: "Nhất Tín Logistics, bill webhook",
    order: "`ref_code`, else the parcel (`bill_no`)",
    time: "`status_time`, Unix seconds",
    zone: Ho_Chi_Minh,
    table: TABLE,
    read,
};

const TABLE: &[Code] = &[
    // 1 is before the collection: it could not be assigned yet.
    code("1", Milestone::ShipmentLabelCreated),
    code("2", Milestone::ShipmentLabelCreated),
    code("3", Milestone::ShipmentHandedOver),
    code("4", Milestone::ShipmentDelivered),
    code("6", Milestone::OrderCancelled),
    code("7", Milestone::ShipmentAttemptFailed),
    code("9", Milestone::ShipmentReturning),
    code("10", Milestone::ShipmentReturned),
    code("11", Milestone::ShipmentException),
    code("12", Milestone::InfoIgnored),
    code("13", Milestone::ShipmentOutForDelivery),
    code("15", Milestone::ShipmentInTransit),
    code("16", Milestone::ShipmentReturning),
    code("17", Milestone::ShipmentPickupFailed),
];

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    let value = parse(record.value)?;
    let doc = Doc::of(&value);
    let (parcel, status) = (doc.need("bill_no")?, doc.need("status_id")?);
    let time = doc
        .number("status_time")
        .ok_or_else(|| Refusal::Shape("`status_time` is missing".to_owned()))?;
    let order = record.order(doc, &["ref_code"], Some(tracking_alias(&parcel)))?;
    let id = hashed_id(&[&parcel, &status, &time.to_string()]);
    let mut draft = meaning(TABLE, record, &status).draft("nhattin", id, seconds(time)?, order);
    draft.parcel("nhattin", Some(parcel));
    draft.data.note = doc.any(&["reason", "status_name"]);
    draft.expect(doc.text("expected_at").and_then(|text| expected(&text, record.zone)));
    Ok(vec![draft])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::read_one;

    #[test]
    fn the_expected_hour_is_local() {
        let draft = read_one(
            "nhattin",
            r#"{"bill_no":"CP7R","ref_code":"T-4","status_id":3,"status_name":"Đã lấy hàng",
            "status_time":1795312800,"push_time":1795312900,"expected_at":"2026-11-26 09:00:00","weight":1}"#,
        );
        assert_eq!(draft.milestone, Milestone::ShipmentHandedOver);
        assert_eq!(draft.data.eta.unwrap().earliest.to_rfc3339(), "2026-11-26T02:00:00+00:00");
    }
}
