//! `source.ems`: EMS Việt Nam's tracking webhook, in both of its shapes.

use crate::draft::{Draft, tracking_alias};
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse};
use crate::source::field::{hashed_id, plain};
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, code, meaning};
use crate::source::time::when;
use chrono_tz::Asia::Ho_Chi_Minh;
use contract::milestone::Milestone;

pub(in crate::source) const SOURCE: Source = Source {
    name: "ems",
    about: "EMS Việt Nam, tracking webhook, both shapes",
    order: "`order_code` or `OrderCode`, else the parcel (`tracking_code` or `TrackingCode`)",
    time: "`datetime` or `CreatedAt`, dd/MM/yyyy HH:mm:ss, local",
    zone: Ho_Chi_Minh,
    table: TABLE,
    read,
};

const TABLE: &[Code] = &[
    code("1", Milestone::ShipmentLabelCreated),
    code("2", Milestone::ShipmentLabelCreated),
    code("4", Milestone::ShipmentInTransit),
    code("11000", Milestone::ShipmentOutForDelivery),
    // Codes that are documented nowhere come with the words of their status.
    code("nhan gui", Milestone::ShipmentHandedOver),
    code("dang van chuyen", Milestone::ShipmentInTransit),
    code("da lay hang", Milestone::ShipmentHandedOver),
    code("dang phat", Milestone::ShipmentOutForDelivery),
    code("da giao cho buu ta", Milestone::ShipmentOutForDelivery),
    code("dang giao hang", Milestone::ShipmentOutForDelivery),
    code("phat thanh cong", Milestone::ShipmentDelivered),
    code("da phat thanh cong", Milestone::ShipmentDelivered),
    code("giao hang thanh cong", Milestone::ShipmentDelivered),
    code("phat khong thanh cong", Milestone::ShipmentAttemptFailed),
    code("phat chua thanh cong", Milestone::ShipmentAttemptFailed),
    code("giao hang khong thanh cong", Milestone::ShipmentAttemptFailed),
    code("cho chuyen hoan", Milestone::ShipmentReturnPending),
    code("chuyen hoan", Milestone::ShipmentReturning),
    code("da chuyen hoan", Milestone::ShipmentReturning),
    code("dang chuyen hoan", Milestone::ShipmentReturning),
    code("chuyen hoan thanh cong", Milestone::ShipmentReturned),
    code("phat hoan thanh cong", Milestone::ShipmentReturned),
];

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    let value = parse(record.value)?;
    let doc = Doc::of(&value);
    let parcel = doc.need_any(&["tracking_code", "TrackingCode", "ItemCode"])?;
    let status = doc.need_any(&["status_code", "StatusCode", "Status"])?;
    let time = doc.need_any(&["datetime", "CreatedAt", "DateTime"])?;
    let order = record.order(doc, &["order_code", "OrderCode"], Some(tracking_alias(&parcel)))?;
    // One of their documents calls the header `ems-transaction` unique for each status, another for each
    // call: what is said again is the same event.
    let id = hashed_id(&[&parcel, &status, &time]);
    let said = meaning(TABLE, record, &status);
    let words = doc.any(&["status_name", "StatusName"]).map(|words| plain(&words));
    let by_words = words.filter(|_| said.is_unknown()).map(|words| meaning(TABLE, record, &words));
    let said = by_words.filter(|said| !said.is_unknown()).unwrap_or(said);
    let mut draft = said.draft("ems", id, when(&time, record.zone)?, order);
    draft.parcel("ems", Some(parcel));
    draft.data.location = doc.any(&["locate", "Locate", "Location"]);
    draft.data.note = doc.any(&["note", "Note", "status_name", "StatusName"]);
    Ok(vec![draft])
}

#[cfg(test)]
mod tests {
    use crate::source::tests::read_one;

    #[test]
    fn both_shapes_say_the_same() {
        let old = r#"{"tracking_code":"EK9VN","order_code":"T-5","status_code":4,"status_name":"Đang vận chuyển","note":"",
            "locate":"KTC1 Đà Nẵng","datetime":"22/11/2026 07:54:50","total_weight":240}"#;
        let new = r#"{"TrackingCode":"EK9VN","OrderCode":"T-5","StatusCode":4,"Location":"KTC1 Đà Nẵng","CreatedAt":"22/11/2026 07:54:50"}"#;
        let (old, new) = (read_one("ems", old), read_one("ems", new));
        assert_eq!((old.id, old.time, old.milestone), (new.id, new.time, new.milestone));
        assert_eq!(old.data.location, new.data.location);
    }

    #[test]
    fn a_code_that_is_documented_nowhere_is_read_by_its_words() {
        let said = |words: &str| {
            let body = format!(
                r#"{{"tracking_code":"EK9VN","order_code":"T-5","status_code":77,"status_name":"{words}","datetime":"22/11/2026 07:54:50"}}"#
            );
            read_one("ems", &body)
        };
        assert_eq!(said("Phát thành công").milestone.code(), "shipment.delivered");
        assert_eq!(said("Bay lên trời").data.source_code.as_deref(), Some("77"));
    }
}
