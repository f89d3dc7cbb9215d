//! `source.viettelpost`: Viettel Post's order journey, in the shape of 2019 and in that of 2025.
//!
//! Keys are upper case; the older shape misspells one of them.

use crate::draft::{Draft, tracking_alias};
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse};
use crate::source::field::hashed_id;
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, Meaning, code, meaning};
use crate::source::time::{expected, when};
use chrono_tz::Asia::Ho_Chi_Minh;
use contract::milestone::Milestone;

pub(in crate::source) const SOURCE: Source = Source {
    name: "viettelpost",
    about: "Viettel Post, order journey, both shapes",
    order: "`DATA.ORDER_REFERENCE`, else the parcel (`DATA.ORDER_NUMBER`)",
    time: "`DATA.ORDER_STATUSDATE`, dd/MM/yyyy HH:mm:ss, local",
    zone: Ho_Chi_Minh,
    table: TABLE,
    read,
};

const TABLE: &[Code] = &[
    code("-15", Milestone::OrderCancelled),
    code("-100", Milestone::InfoIgnored),
    code("-108", Milestone::ShipmentLabelCreated),
    code("-109", Milestone::ShipmentLabelCreated),
    code("-110", Milestone::ShipmentLabelCreated),
    code("100", Milestone::ShipmentLabelCreated),
    code("101", Milestone::OrderCancelled),
    code("102", Milestone::ShipmentLabelCreated),
    code("103", Milestone::ShipmentLabelCreated),
    code("104", Milestone::ShipmentLabelCreated),
    code("105", Milestone::ShipmentHandedOver),
    code("106", Milestone::OrderCancelled),
    code("107", Milestone::OrderCancelled),
    code("200", Milestone::ShipmentHandedOver),
    code("201", Milestone::OrderCancelled),
    code("202", Milestone::InfoIgnored),
    code("300", Milestone::ShipmentInTransit),
    code("301", Milestone::ShipmentInTransit),
    code("302", Milestone::ShipmentInTransit),
    code("303", Milestone::ShipmentInTransit),
    code("310", Milestone::ShipmentInTransit),
    code("320", Milestone::ShipmentInTransit),
    code("400", Milestone::ShipmentInTransit),
    code("401", Milestone::ShipmentInTransit),
    code("402", Milestone::ShipmentInTransit),
    code("403", Milestone::ShipmentInTransit),
    code("500", Milestone::ShipmentOutForDelivery),
    code("501", Milestone::ShipmentDelivered),
    code("502", Milestone::ShipmentReturning),
    code("503", Milestone::OrderCancelled),
    code("504", Milestone::ShipmentReturned),
    code("505", Milestone::ShipmentReturnPending),
    code("506", Milestone::ShipmentAttemptFailed).because("consignee_customer_not_home"),
    code("507", Milestone::ShipmentAvailableForPickup).back(),
    code("508", Milestone::ShipmentOutForDelivery),
    // It goes to another post office, from the courier's round too.
    code("509", Milestone::ShipmentInTransit).back(),
    // The courier was taken off the round: the parcel is at the post office again.
    code("510", Milestone::ShipmentInTransit).back(),
    code("515", Milestone::ShipmentReturnPending),
    code("550", Milestone::ShipmentOutForDelivery),
    code("551", Milestone::ShipmentReturning),
    code("570", Milestone::ShipmentInTransit),
];

/// On its way back, the journey's words mean the way back.
fn turned(said: Meaning) -> Meaning {
    match said.milestone {
        Milestone::ShipmentInTransit
        | Milestone::ShipmentOutForDelivery
        | Milestone::ShipmentAttemptFailed
        | Milestone::ShipmentAvailableForPickup => said.but(Milestone::ShipmentReturning),
        Milestone::ShipmentDelivered => said.but(Milestone::ShipmentReturned),
        _ => said,
    }
}

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    let value = parse(record.value)?;
    let whole = Doc::of(&value);
    let doc = if whole.at("DATA").is_there() { whole.at("DATA") } else { whole };
    let (parcel, status) = (doc.need("ORDER_NUMBER")?, doc.need("ORDER_STATUS")?);
    let time = doc.need("ORDER_STATUSDATE")?;
    let said = meaning(TABLE, record, &status);
    let said = if doc.flag("IS_RETURNING") { turned(said) } else { said };
    let order = record.order(doc, &["ORDER_REFERENCE"], Some(tracking_alias(&parcel)))?;
    let id = hashed_id(&[&parcel, &status, &time]);
    let mut draft = said.draft("viettelpost", id, when(&time, record.zone)?, order);
    draft.parcel("viettelpost", Some(parcel));
    draft.data.location = doc.any(&["LOCATION_CURRENTLY", "LOCALION_CURRENTLY"]);
    draft.data.note = doc.any(&["NOTE", "STATUS_NAME"]);
    // The table's words are everybody's; theirs are numbers.
    draft.data.reason = draft.data.reason.take().or_else(|| doc.text("REASON_CODE"));
    draft.expect(doc.text("EXPECTED_DELIVERY_DATE").and_then(|day| expected(&day, record.zone)));
    Ok(vec![draft])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::read_one;

    fn one(status: i32, more: &str) -> Draft {
        read_one(
            "viettelpost",
            &format!(
                r#"{{"DATA":{{"ORDER_NUMBER":"VTP88","ORDER_REFERENCE":"T-3","ORDER_STATUSDATE":"22/11/2026 11:07:16",
               "ORDER_STATUS":{status},"NOTE":"","REASON_CODE":null{more}}},"TOKEN":"x"}}"#
            ),
        )
    }

    #[test]
    fn both_spellings_of_the_place_are_read() {
        for key in ["LOCALION_CURRENTLY", "LOCATION_CURRENTLY"] {
            let draft = one(300, &format!(r#","{key}":"Bưu cục Sơn Trà""#));
            assert_eq!(draft.data.location.as_deref(), Some("Bưu cục Sơn Trà"));
            assert!(draft.data.tz_assumed);
            assert_eq!(draft.time.to_rfc3339(), "2026-11-22T04:07:16+00:00");
        }
    }

    #[test]
    fn on_the_way_back_delivered_means_returned() {
        assert_eq!(one(501, "").milestone, Milestone::ShipmentDelivered);
        assert_eq!(one(501, r#","IS_RETURNING":true"#).milestone, Milestone::ShipmentReturned);
        assert_eq!(one(300, r#","IS_RETURNING":true"#).milestone, Milestone::ShipmentReturning);
    }

    #[test]
    fn a_number_does_not_hide_a_reason_that_everybody_knows() {
        let reason = |status: i32| {
            let record = format!(
                r#"{{"DATA":{{"ORDER_NUMBER":"VTP88","ORDER_STATUSDATE":"22/11/2026 11:07:16","ORDER_STATUS":{status},"REASON_CODE":"T06"}}}}"#
            );
            read_one("viettelpost", &record).data.reason
        };
        assert_eq!(reason(506).as_deref(), Some("consignee_customer_not_home"));
        assert_eq!(reason(300).as_deref(), Some("T06"));
    }

    #[test]
    fn a_courier_taken_off_the_round_is_a_declared_step_back() {
        assert!(one(510, "").data.step_back);
        assert!(!one(300, "").data.step_back);
    }
}
