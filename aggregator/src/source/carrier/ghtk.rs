//! `source.ghtk`: Giao Hàng Tiết Kiệm's status callback, as JSON or (what it really sends) as a
//! form.
//!
//! The codes 123, 127, 128, 45, 49 and 410 are what the courier says; GHTK's own status follows
//! later and may differ, so they are reported, and a 9 may follow a 45.

use crate::draft::{Draft, tracking_alias};
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse_or_form};
use crate::source::field::hashed_id;
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, code, meaning};
use crate::source::time::when;
use chrono_tz::Asia::Ho_Chi_Minh;
use contract::milestone::Milestone;

pub(in crate::source) const SOURCE: Source = Source {
    name: "ghtk",
    about: "Giao Hàng Tiết Kiệm, status callback, JSON or form",
    order: "`partner_id`, else the parcel (`label_id`)",
    time: "`action_time`, ISO 8601",
    zone: Ho_Chi_Minh,
    table: TABLE,
    read,
};

const TABLE: &[Code] = &[
    code("-1", Milestone::OrderCancelled),
    code("1", Milestone::ShipmentLabelCreated),
    code("2", Milestone::ShipmentLabelCreated),
    code("12", Milestone::ShipmentLabelCreated),
    code("123", Milestone::ShipmentHandedOver).reported(),
    code("3", Milestone::ShipmentHandedOver),
    code("7", Milestone::ShipmentPickupFailed),
    code("127", Milestone::ShipmentPickupFailed).reported(),
    code("8", Milestone::ShipmentPickupFailed).because("pickup_delayed"),
    code("128", Milestone::ShipmentPickupFailed).because("pickup_delayed").reported(),
    code("4", Milestone::ShipmentOutForDelivery),
    code("45", Milestone::ShipmentDelivered).reported(),
    code("5", Milestone::ShipmentDelivered),
    code("9", Milestone::ShipmentAttemptFailed).back(),
    code("49", Milestone::ShipmentAttemptFailed).reported(),
    // Its courier may have called it delivered too early.
    code("10", Milestone::ShipmentAttemptFailed).because("carrier_delay").back(),
    code("410", Milestone::ShipmentAttemptFailed).because("carrier_delay").reported(),
    code("20", Milestone::ShipmentReturning).back(),
    code("21", Milestone::ShipmentReturned),
    code("13", Milestone::ShipmentLost).because("compensated"),
    // Money between shop and carrier.
    code("6", Milestone::InfoIgnored),
    code("11", Milestone::InfoIgnored),
];

/// The form carries the offset's `+` unescaped, which form decoding turns into a space.
fn offset_mended(time: &str) -> String {
    match time.rsplit_once(' ') {
        Some((moment, offset)) if moment.contains('T') => format!("{moment}+{offset}"),
        _ => time.to_owned(),
    }
}

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    let value = parse_or_form(record.value)?;
    let doc = Doc::of(&value);
    let (parcel, status) = (doc.need("label_id")?, doc.need("status_id")?);
    let time = offset_mended(&doc.need("action_time")?);
    let order = record.order(doc, &["partner_id"], Some(tracking_alias(&parcel)))?;
    let id = hashed_id(&[&parcel, &status, &time]);
    let said = meaning(TABLE, record, &status).of_part(doc.flag("return_part_package"));
    let mut draft = said.draft("ghtk", id, when(&time, record.zone)?, order);
    draft.parcel("ghtk", Some(parcel));
    draft.data.reason = doc.text("reason_code").or(draft.data.reason);
    draft.data.note = doc.text("reason");
    Ok(vec![draft])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::read_one;
    use contract::event::Confidence;

    #[test]
    fn the_form_that_it_sends_says_what_the_documented_object_says() {
        let object = r#"{"partner_id":"T-9","label_id":"S22.HN1.77","status_id":5,"action_time":"2026-11-22T12:18:39+07:00",
            "reason_code":"","reason":"","weight":0.4,"fee":22000,"return_part_package":0}"#;
        let form = "label_id=S22.HN1.77&partner_id=T-9&status_id=5&action_time=2026-11-22T12%3A18%3A39%2B07%3A00&reason_code=&reason=&weight=0.4&fee=22000&return_part_package=0";
        assert_eq!(read_one("ghtk", object), read_one("ghtk", form));
        assert_eq!(read_one("ghtk", object), read_one("ghtk", &form.replace("%2B", "+")));
        assert_eq!(read_one("ghtk", form).milestone, Milestone::ShipmentDelivered);
    }

    #[test]
    fn what_the_courier_says_is_reported_until_the_carrier_says_it() {
        let said = |status: &str| {
            read_one(
                "ghtk",
                &format!(
                    r#"{{"partner_id":"T-9","label_id":"S22","status_id":"{status}","action_time":"2026-11-22T12:18:39+07:00"}}"#
                ),
            )
        };
        assert_eq!(said("45").data.confidence, Confidence::Reported);
        assert_eq!(said("5").data.confidence, Confidence::Confirmed);
        assert!(["9", "10", "20"].iter().all(|status| said(status).data.step_back));
        assert_eq!(said("777").data.source_code.as_deref(), Some("777"));
    }
}
