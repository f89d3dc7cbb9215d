use super::*;
use crate::draft::OrderRef;
use crate::source::tests::{read_all, read_one, read_with_headers};

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
fn a_clock_without_an_offset_has_it_beside_it() {
    let local = event(r#","eventTimeZoneOffset":"+07:00""#)
        .replace(":00+07:00\",\"epcList", ":00\",\"epcList");
    let draft = read_one("epcis", &local);
    assert_eq!((draft.time, draft.data.tz_assumed), (read_one("epcis", &event("")).time, false));
    let odd = local.replace("\"+07:00\"", "\"there\"");
    assert!(read_one("epcis", &odd).data.tz_assumed);
}

#[test]
fn a_step_that_is_not_told_is_no_unknown_code() {
    let silent = event("").replace(r#""bizStep":"urn:epcglobal:cbv:bizstep:packing","#, "");
    let draft = read_one("epcis", &silent);
    assert_eq!((draft.milestone, draft.data.source_code), (Milestone::InfoIgnored, None));
    let odd = read_one("epcis", &event("").replace("packing", "juggling"));
    assert_eq!(odd.data.source_code.as_deref(), Some("juggling"));
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
    let document =
        format!(r#"{{"type":"EPCISDocument","epcisBody":{{"eventList":[{},{made}]}}}}"#, event(""));
    let codes: Vec<&str> =
        read_all("epcis", &document).iter().map(|d| d.milestone.code()).collect();
    assert_eq!(codes, ["fulfilment.packed", "production.finished"]);
}

#[test]
fn what_was_asked_for_is_read_and_goods_by_the_ton_spoil_nothing() {
    let bulk = r#"{"type":"ObjectEvent","eventTime":"2026-11-22T10:00:00Z","quantityList":[{"epcClass":"urn:epc:class:lgtin:1"}]}"#;
    let answer = |events: &str| {
        format!(
            r#"{{"type":"EPCISQueryDocument","epcisBody":{{"queryResults":{{"resultsBody":{{"eventList":[{events}]}}}}}}}}"#
        )
    };
    assert_eq!(read_one("epcis", &answer(&format!("{bulk},{}", event("")))).reveals.len(), 1);
    assert!(read_all("epcis", &answer("")).is_empty());
    assert_eq!(read_with_headers("epcis", &answer(bulk), &[]).unwrap_err().label(), "bad_id");
}

#[test]
fn a_box_is_found_by_what_lies_in_it_and_two_boxes_are_two() {
    let packed = |unit: &str, more: &str| {
        let body = format!(
            r#"{{"type":"AggregationEvent","action":"ADD","bizStep":"packing","eventTime":"2026-11-22T10:00:00Z",
            "parentID":"urn:epc:id:sscc:{unit}","childEPCs":["urn:epc:id:sgtin:{unit}"]{more}}}"#
        );
        read_one("epcis", &body)
    };
    let (one, two) = (packed("1", ""), packed("2", ""));
    assert_eq!(one.order, OrderRef::Alias("epcis:urn:epc:id:sgtin:1".to_owned()));
    assert_eq!(one.reveals, ["epcis:urn:epc:id:sscc:1"]);
    assert_ne!(one.id, two.id);
    let notice = r#","bizTransactionList":[{"type":"desadv","bizTransaction":"urn:x:1152"}]"#;
    assert_eq!(packed("1", notice).order, one.order, "a notice's number is no order's");
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
