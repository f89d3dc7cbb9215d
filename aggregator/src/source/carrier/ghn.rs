//! `source.ghn`: Giao Hàng Nhanh's order webhook.
//!
//! It has no event id and no signature. `Type` says whether the record is about the status at
//! all: weight, COD and fee changes are not. The answer to a question about a parcel (the order
//! detail of its API) is read too: it confirms what was reported.

use crate::draft::{Draft, tracking_alias};
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse};
use crate::source::field::hashed_id;
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, Meaning, code, meaning};
use crate::source::time::when;
use chrono_tz::Asia::Ho_Chi_Minh;
use contract::milestone::Milestone;

pub(in crate::source) const SOURCE: Source = Source {
    name: "ghn",
    about: "Giao Hàng Nhanh, order webhook (`Type` create or Switch_status; other types are info)",
    order: "`ClientOrderCode`, else the parcel (`OrderCode`)",
    time: "`Time`, ISO 8601 with `Z`",
    zone: Ho_Chi_Minh,
    table: TABLE,
    read,
};

/// `waiting_to_return` is no return yet: the carrier tries again within a day or two. `cancel`
/// takes back the parcel, not what the shop sells.
const TABLE: &[Code] = &[
    code("ready_to_pick", Milestone::ShipmentLabelCreated),
    code("picking", Milestone::ShipmentLabelCreated),
    code("money_collect_picking", Milestone::ShipmentLabelCreated),
    code("cancel", Milestone::OrderCancelled),
    code("picked", Milestone::ShipmentHandedOver),
    code("storing", Milestone::ShipmentInTransit),
    code("sorting", Milestone::ShipmentInTransit),
    code("transporting", Milestone::ShipmentInTransit),
    code("delivering", Milestone::ShipmentOutForDelivery),
    code("money_collect_delivering", Milestone::ShipmentOutForDelivery),
    code("delivered", Milestone::ShipmentDelivered),
    code("delivery_fail", Milestone::ShipmentAttemptFailed),
    code("waiting_to_return", Milestone::ShipmentAttemptFailed),
    code("return", Milestone::ShipmentReturning),
    code("return_transporting", Milestone::ShipmentReturning),
    code("return_sorting", Milestone::ShipmentReturning),
    code("returning", Milestone::ShipmentReturning),
    code("return_fail", Milestone::ShipmentException),
    code("returned", Milestone::ShipmentReturned),
    code("exception", Milestone::ShipmentException),
    code("damage", Milestone::ShipmentDamaged),
    code("lost", Milestone::ShipmentLost),
    // Nobody took it: the carrier disposes of it.
    code("scrap", Milestone::ShipmentLost).because("carrier_disposed"),
];

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    let value = parse(record.value)?;
    let doc = Doc::of(&value);
    // One order's detail; of those that a shop asks for by its own number, a list.
    if doc.at("data").value().is_array() {
        return doc.each("data").map(|detail| answer(record, detail)).collect();
    }
    if doc.at("data").is_there() {
        return Ok(vec![answer(record, doc.at("data"))?]);
    }
    let (parcel, status) = (doc.need("OrderCode")?, doc.need("Status")?);
    let kind = doc.text("Type").unwrap_or_default().to_ascii_lowercase();
    let said = if matches!(kind.as_str(), "" | "create" | "switch_status") {
        meaning(TABLE, record, &status).of_part(doc.flag("IsPartialReturn"))
    } else {
        Meaning::plain(Milestone::InfoIgnored)
    };
    let time = doc.need("Time")?;
    let order = record.order(doc, &["ClientOrderCode"], Some(tracking_alias(&parcel)))?;
    let id = hashed_id(&[&parcel, &kind, &status, &time]);
    let mut draft = said.draft("ghn", id, when(&time, record.zone)?, order);
    draft.parcel("ghn", Some(parcel));
    draft.data.location = doc.text("Warehouse");
    draft.data.note = doc.any(&["Reason", "Description"]);
    draft.data.reason = doc.text("ReasonCode");
    Ok(vec![draft])
}

/// How a parcel ends. Nothing else of an answer is news: its steps were told as they happened,
/// with times that are not quite those of the answer.
const ENDS: &[Milestone] = &[
    Milestone::ShipmentDelivered,
    Milestone::ShipmentReturned,
    Milestone::ShipmentLost,
    Milestone::ShipmentDamaged,
];

/// The order detail: `log` has every status with its time, `status` is the newest.
fn answer(record: &Record<'_>, data: Doc<'_>) -> Result<Draft, Refusal> {
    let (parcel, status) = (data.need("order_code")?, data.need("status")?);
    let logged = data.each("log").filter(|step| step.text("status").as_ref() == Some(&status));
    let logged = logged.filter_map(|step| step.text("updated_date")).next_back();
    let time = logged.or_else(|| data.any(&["finish_date", "updated_date"]));
    let time = time.ok_or_else(|| Refusal::Shape("no time of `status`".to_owned()))?;
    let said = meaning(TABLE, record, &status);
    let end = ENDS.contains(&said.milestone);
    let said = if end { said } else { said.but(Milestone::InfoIgnored) };
    let order = record.order(data, &["client_order_code"], Some(tracking_alias(&parcel)))?;
    let id = hashed_id(&[&parcel, "asked", &status, &time]);
    let mut draft = said.draft("ghn", id, when(&time, record.zone)?, order);
    draft.parcel("ghn", Some(parcel));
    draft.data.note = Some(format!("asked: {status}"));
    Ok(draft)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::OrderRef;
    use crate::source::tests::{read_all, read_one};

    fn one(status: &str, kind: &str, client: &str) -> Draft {
        let record = format!(
            r#"{{"OrderCode":"L7X","ClientOrderCode":"{client}","Status":"{status}","Type":"{kind}",
               "Time":"2026-11-22T03:52:50.158Z","Warehouse":"Bưu cục Cẩm Lệ","Reason":"","ReasonCode":""}}"#
        );
        read_one("ghn", &record)
    }

    #[test]
    fn a_carrier_that_waits_to_return_has_not_returned() {
        assert_eq!(
            one("waiting_to_return", "switch_status", "T-1").milestone.code(),
            "shipment.attempt_failed"
        );
        assert_eq!(one("returned", "Switch_status", "T-1").milestone.code(), "shipment.returned");
    }

    #[test]
    fn a_change_of_weight_is_no_change_of_status() {
        assert_eq!(one("delivering", "Update_weight", "T-1").milestone, Milestone::InfoIgnored);
    }

    #[test]
    fn what_goes_back_of_a_parcel_is_not_the_parcel() {
        let record = r#"{"OrderCode":"L7X","ClientOrderCode":"T-1","Status":"returned","Type":"switch_status",
            "IsPartialReturn":true,"PartialReturnCode":"L7X_PR","Time":"2026-11-22T03:52:50.158Z"}"#;
        assert_eq!(read_one("ghn", record).milestone, Milestone::InfoIgnored);
    }

    #[test]
    fn an_unknown_status_is_kept_with_its_code() {
        let draft = one("flying", "switch_status", "T-1");
        assert_eq!(
            (draft.milestone, draft.data.source_code.as_deref()),
            (Milestone::InfoIgnored, Some("flying"))
        );
    }

    fn answered(status: &str) -> Draft {
        let record = format!(
            r#"{{"code":200,"message":"Success","data":{{"order_code":"L7X","client_order_code":"T-1","status":"{status}",
               "log":[{{"status":"picking","updated_date":"2026-11-20T03:00:00.1Z"}},
                      {{"status":"{status}","updated_date":"2026-11-22T03:52:51.2Z"}}]}}}}"#
        );
        read_one("ghn", &record)
    }

    #[test]
    fn an_answer_confirms_how_a_parcel_ended_and_says_nothing_else() {
        let draft = answered("delivered");
        assert_eq!(draft.milestone, Milestone::ShipmentDelivered);
        assert_eq!(draft.time.to_rfc3339(), "2026-11-22T03:52:51.200+00:00");
        assert_eq!(draft.data.tracking_number.as_deref(), Some("L7X"));
        assert_eq!(answered("transporting").milestone, Milestone::InfoIgnored);
        let detail = r#"{"order_code":"L7X","client_order_code":"T-1","status":"delivered","finish_date":"2026-11-22T03:52:51.2Z","log":[]}"#;
        let listed =
            format!(r#"{{"code":200,"data":[{detail},{}]}}"#, detail.replace("L7X", "L7Y"));
        let listed = read_all("ghn", &listed);
        assert_eq!((listed.len(), listed[0].time), (2, draft.time));
    }

    #[test]
    fn without_the_shops_number_the_order_is_known_by_the_parcel() {
        assert_eq!(
            one("picked", "switch_status", "").order,
            OrderRef::Alias("tracking:L7X".into())
        );
        assert_eq!(one("picked", "switch_status", "T-1").reveals, ["tracking:L7X"]);
    }
}
