//! `source.epcis`: GS1 EPCIS 2.0 object and transformation events, one or a whole document.
//!
//! An event that is repeated with an `errorDeclaration` withdraws itself (EPCIS 2.0, 7.4.1.2);
//! the events that it names as corrective speak for themselves.

use crate::draft::{Draft, OrderRef};
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse};
use crate::source::field::{hashed_id, order};
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, Meaning, code, meaning};
use crate::source::time::when;
use chrono_tz::UTC;
use contract::milestone::Milestone;

pub(in crate::source) const SOURCE: Source = Source {
    name: "epcis",
    about: "GS1 EPCIS 2.0: `disposition` where it tells of harm, else `bizStep`; a transformation without either is production finished; an error declaration withdraws",
    order: "the `po` (else the first) of `bizTransactionList`, after its last `:` or `/`; an event without it through the alias `epcis:<EPC>` that another event tells",
    time: "`eventTime`, ISO 8601",
    zone: UTC,
    table: TABLE,
    read,
};

const TABLE: &[Code] = &[
    code("accepting", Milestone::ShipmentHandedOver),
    code("arriving", Milestone::ShipmentInTransit),
    code("assembling", Milestone::ProductionStarted),
    code("collecting", Milestone::ShipmentHandedOver),
    code("commissioning", Milestone::ProductionStarted),
    code("consigning", Milestone::ShipmentHandedOver),
    code("creating_class_instance", Milestone::ProductionStarted),
    code("departing", Milestone::ShipmentInTransit),
    code("entering_exiting", Milestone::ShipmentInTransit),
    code("holding", Milestone::ShipmentException).because("customs_inspection"),
    code("inspecting", Milestone::InfoIgnored),
    code("loading", Milestone::ShipmentInTransit),
    code("packing", Milestone::FulfilmentPacked),
    code("picking", Milestone::InfoIgnored),
    code("receiving", Milestone::ShipmentDelivered),
    code("repackaging", Milestone::FulfilmentPacked),
    code("retail_selling", Milestone::ShipmentDelivered),
    code("shipping", Milestone::ShipmentHandedOver),
    code("staging_outbound", Milestone::FulfilmentPacked),
    code("storing", Milestone::InfoIgnored),
    code("transformation", Milestone::ProductionFinished),
    code("transporting", Milestone::ShipmentInTransit),
    code("unloading", Milestone::ShipmentInTransit),
    code("void_shipping", Milestone::InfoIgnored),
    code("damaged", Milestone::ShipmentDamaged),
    code("destroyed", Milestone::ShipmentLost),
    code("stolen", Milestone::ShipmentLost),
    code("returned", Milestone::ShipmentReturned),
    code("non_conformant", Milestone::ProductionQcFailed),
];

/// Dispositions that say more than the step that they come with.
const HARM: [&str; 5] = ["damaged", "destroyed", "stolen", "returned", "non_conformant"];

/// The short name of `urn:epcglobal:cbv:bizstep:x`, `https://ns.gs1.org/cbv/BizStep-x` and `x`.
fn short(name: &str) -> &str {
    let last = name.rsplit([':', '/']).next().unwrap_or(name);
    last.split_once('-').map_or(last, |(_, short)| short)
}

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    let value = parse(record.value)?;
    let doc = Doc::of(&value);
    if doc.at("epcisBody").is_there() {
        return doc.each("epcisBody.eventList").map(|event| one(record, event)).collect();
    }
    Ok(vec![one(record, doc)?])
}

fn one(record: &Record<'_>, event: Doc<'_>) -> Result<Draft, Refusal> {
    let kind = event.need_any(&["type", "isA"])?;
    let time = event.need("eventTime")?;
    let happened = when(&time, record.zone)?;
    let order = buyer_order(record, event)?;
    let step = event.text("bizStep").map(|step| short(&step).to_owned());
    let harm = event.text("disposition").map(|name| short(&name).to_owned());
    let harm = harm.filter(|name| HARM.contains(&name.as_str()));
    let made = (kind == "TransformationEvent").then(|| "transformation".to_owned());
    let code = harm.or(made).or(step).unwrap_or_else(|| kind.clone());
    let told = event.text("eventID");
    let id = told.clone().unwrap_or_else(|| hashed_id(&[&kind, &time, &code, &first_thing(event)]));
    let declared = event.at("errorDeclaration");
    if declared.is_there() {
        let at = when(&declared.need("declarationTime")?, record.zone)?;
        let withdrawal = format!("{id}:error:{}", at.at.to_rfc3339());
        let said = Meaning::plain(Milestone::InfoIgnored);
        let mut draft = said.draft(SOURCE.name, withdrawal, at, order);
        draft.data.corrects = Some(id);
        draft.data.reason = declared.text("reason");
        reveal(&mut draft, event);
        return Ok(draft);
    }
    let mut draft = meaning(TABLE, record, &code).draft(SOURCE.name, id, happened, order);
    draft.data.location = event.any(&["readPoint.id", "bizLocation.id"]);
    reveal(&mut draft, event);
    Ok(draft)
}

/// The purchase order; a document that names other transactions alone means the first.
fn buyer_order(record: &Record<'_>, event: Doc<'_>) -> Result<OrderRef, Refusal> {
    if record.options.order.is_some() {
        return record.order(event, &[], None);
    }
    let list = || event.each("bizTransactionList");
    let purchase = list().find(|t| t.text("type").is_some_and(|kind| short(&kind) == "po"));
    let named = purchase.or_else(|| list().next()).and_then(|t| t.text("bizTransaction"));
    match (named, things(event).next()) {
        (Some(named), _) => order(named.rsplit([':', '/']).next().unwrap_or(&named)),
        (None, Some(thing)) => Ok(OrderRef::Alias(alias(&thing))),
        (None, None) => {
            Err(Refusal::BadId("neither `bizTransactionList` nor what it happened to".to_owned()))
        }
    }
}

/// Most things of one event by which others find its order.
const MOST: usize = 20;

/// What it happened to: outputs first, since it is they that go on.
fn things(event: Doc<'_>) -> impl Iterator<Item = String> {
    let listed = ["outputEPCList", "epcList", "childEPCs", "inputEPCList"];
    let listed = listed.into_iter().flat_map(move |list| event.each(list));
    let named = listed.filter_map(|thing| thing.value().as_str().map(str::to_owned));
    named.chain(event.text("parentID")).take(MOST)
}

fn alias(thing: &str) -> String {
    format!("epcis:{thing}")
}

/// An event that names the order tells what the order is made of.
fn reveal(draft: &mut Draft, event: Doc<'_>) {
    if matches!(draft.order, OrderRef::Order(_)) {
        // First what all of it is packed in: that is what is scanned from now on.
        let unit = event.text("parentID").into_iter();
        unit.chain(things(event)).for_each(|thing| draft.reveal(alias(&thing)));
    }
}

fn first_thing(event: Doc<'_>) -> String {
    event.any(&["epcList.0", "outputEPCList.0", "transformationID"]).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::{read_all, read_one};

    fn event(more: &str) -> String {
        format!(
            r#"{{"type":"ObjectEvent","eventID":"ni:///sha-256;aa","action":"OBSERVE","bizStep":"urn:epcglobal:cbv:bizstep:packing",
            "eventTime":"2026-11-22T10:00:00+07:00","epcList":["urn:epc:id:sgtin:1"],
            "bizTransactionList":[{{"type":"po","bizTransaction":"urn:teemazing:po:T-72"}}]{more}}}"#
        )
    }

    #[test]
    fn steps_in_their_long_and_short_spellings() {
        let long = read_one("epcis", &event(""));
        assert_eq!(
            (long.milestone, long.order),
            (Milestone::FulfilmentPacked, OrderRef::Order("T-72".parse().unwrap()))
        );
        for spelling in ["packing", "https://ns.gs1.org/cbv/BizStep-packing"] {
            let short = event("").replace("urn:epcglobal:cbv:bizstep:packing", spelling);
            assert_eq!(read_one("epcis", &short).milestone, Milestone::FulfilmentPacked);
        }
        assert_eq!(
            read_one("epcis", &event(r#","disposition":"damaged""#)).milestone,
            Milestone::ShipmentDamaged
        );
    }

    #[test]
    fn an_error_declaration_withdraws_the_event() {
        let declared = event(
            r#","errorDeclaration":{"declarationTime":"2026-11-22T11:00:00+07:00","reason":"did_not_occur"}"#,
        );
        let draft = read_one("epcis", &declared);
        assert_eq!(draft.data.corrects.as_deref(), Some("ni:///sha-256;aa"));
        assert_ne!(draft.id, "ni:///sha-256;aa");
    }

    #[test]
    fn a_document_holds_many_and_a_transformation_is_made() {
        let made = event("").replace("ObjectEvent", "TransformationEvent");
        let document = format!(
            r#"{{"type":"EPCISDocument","epcisBody":{{"eventList":[{},{made}]}}}}"#,
            event("")
        );
        let codes: Vec<&str> =
            read_all("epcis", &document).iter().map(|d| d.milestone.code()).collect();
        assert_eq!(codes, ["fulfilment.packed", "production.finished"]);
    }

    #[test]
    fn an_event_that_names_no_order_is_found_by_what_it_happened_to() {
        let packed = event(r#","parentID":"urn:epc:id:sscc:9""#);
        let told = read_one("epcis", &packed).reveals;
        assert_eq!(told, ["epcis:urn:epc:id:sscc:9", "epcis:urn:epc:id:sgtin:1"]);
        let scanned = event("").replace("bizTransactionList", "x");
        let order = read_one("epcis", &scanned).order;
        assert_eq!(order, OrderRef::Alias("epcis:urn:epc:id:sgtin:1".to_owned()));
        let many: Vec<String> = (0..50).map(|n| format!("\"urn:epc:id:sgtin:{n}\"")).collect();
        let many = packed.replace("\"urn:epc:id:sgtin:1\"", &many.join(","));
        assert_eq!(read_one("epcis", &many).reveals[0], "epcis:urn:epc:id:sscc:9");
    }
}
