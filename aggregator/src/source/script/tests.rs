//! A file says the same as the code that it could replace, and what may not end is refused.

mod bound;

use super::Script;
use crate::draft::Draft;
use crate::source::record::{Options, Record};
use crate::source::tests::read_one;
use std::collections::HashMap;

fn by_file(file: &str, value: &str) -> Draft {
    let script = Script::parse(file).unwrap();
    let (headers, options) = (HashMap::new(), Options::default());
    let record = Record {
        value: value.as_bytes(),
        headers: &headers,
        received_at: service_kit::clock::now(),
        options: &options,
        zone: script.zone,
    };
    script.read(&record).unwrap().remove(0)
}

/// Everything but the id, which a file makes in its own way.
fn same(source: &str, file: &str, value: &str) {
    let (mut told, coded) = (by_file(file, value), read_one(source, value));
    assert_ne!(told.id, "");
    told.id.clone_from(&coded.id);
    told.received_at = coded.received_at;
    assert_eq!(told, coded, "{source}");
}

#[test]
fn five_built_in_sources_can_be_said_by_a_file() {
    same(
        "ghn",
        r#"
        name = "ghn"
        [read]
        order = ".ClientOrderCode"
        tracking = ".OrderCode"
        status = 'if (.Type | ascii_downcase) == "switch_status" then .Status else "other" end'
        time = ".Time"
        location = ".Warehouse"
        reason = ".ReasonCode"
        note = ".Reason // .Description"
        [codes]
        delivering = "shipment.out_for_delivery"
        other = "info.ignored""#,
        r#"{"OrderCode":"L7X","ClientOrderCode":"T-1","Status":"delivering","Type":"Switch_status","Time":"2026-11-22T03:52:50.158Z","Warehouse":"Cẩm Lệ","ReasonCode":"","Description":"Đang giao"}"#,
    );
    same(
        "ghtk",
        r#"
        name = "ghtk"
        [read]
        order = ".partner_id"
        tracking = ".label_id"
        status = ".status_id"
        time = ".action_time"
        reason = ".reason_code"
        note = ".reason"
        [codes]
        45 = { milestone = "shipment.delivered", reported = true }
        9 = { milestone = "shipment.attempt_failed", back = true }"#,
        "label_id=S22&partner_id=T-9&status_id=45&action_time=2026-11-22T12%3A18%3A39%2B07%3A00&reason_code=130&reason=",
    );
    same(
        "ems",
        r#"
        name = "ems"
        [read]
        order = ".order_code // .OrderCode"
        tracking = ".tracking_code // .TrackingCode"
        status = ".status_code // .StatusCode"
        time = ".datetime // .CreatedAt"
        location = ".locate // .Location"
        note = ".note // .status_name"
        [codes]
        4 = "shipment.in_transit""#,
        r#"{"tracking_code":"EK9VN","order_code":"T-5","status_code":4,"locate":"KTC1","note":"Đã đóng chuyến","datetime":"22/11/2026 07:54:50"}"#,
    );
    same(
        "nhattin",
        r#"
        name = "nhattin"
        [read]
        order = ".ref_code"
        tracking = ".bill_no"
        status = ".status_id"
        time = ".status_time"
        note = ".reason // .status_name"
        eta_latest = ".expected_at"
        [codes]
        3 = "shipment.handed_over""#,
        r#"{"bill_no":"CP7R","ref_code":"T-4","status_id":3,"status_name":"Đã lấy hàng","status_time":1795312800,"expected_at":"2026-11-26 09:00:00"}"#,
    );
    same(
        "momo",
        r#"
        name = "momo"
        [read]
        order = ".orderId"
        id = '"\(.requestId)\(.transId)\(.resultCode)"'
        status = ".resultCode"
        time = ".responseTime"
        amount = ".amount"
        note = ".message"
        [codes]
        0 = "payment.paid""#,
        r#"{"orderId":"T-60","requestId":"r1","amount":250000,"transId":77,"resultCode":0,"message":"ok","responseTime":1795140000000}"#,
    );
}

#[test]
fn a_record_with_several_events_and_a_code_that_is_not_listed() {
    let file = "name = \"multi\"\n[read]\neach = \".scans[]\"\ntracking = \".no\"\nstatus = \".s\"\ntime = \".t\"\n[codes]\nA = \"shipment.handed_over\"\n";
    let script = Script::parse(file).unwrap();
    let (headers, options) = (HashMap::new(), Options::default());
    let value = br#"{"scans":[{"no":"Z1","s":"A","t":"2026-11-22T10:00:00Z"},{"no":"Z2","s":"B","t":1795312800}]}"#;
    let record = Record {
        value,
        headers: &headers,
        received_at: service_kit::clock::now(),
        options: &options,
        zone: script.zone,
    };
    let drafts = script.read(&record).unwrap();
    assert_eq!(drafts.len(), 2);
    assert_eq!(drafts[1].data.source_code.as_deref(), Some("B"));
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let wrong = |text: &str| Script::parse(text).unwrap_err();
    let head = "name = \"x\"\n[read]\norder = \".o\"\ntime = \".t\"\n";
    assert_eq!(wrong(&format!("{head}status = \".s |\"\n[codes]\n")).0, 5);
    assert_eq!(wrong(&format!("{head}status = \"nosuch\"\n[codes]\n")).0, 5);
    assert_eq!(wrong(&format!("{head}status = \".s\"\n[codes]\nA = \"shipment.sung\"\n")).0, 7);
    assert_eq!(wrong(&format!("{head}status = \".s\"\ncolour = \".c\"\n[codes]\n")).0, 6);
    assert!(
        wrong("name = \"X Y\"\n[read]\nstatus=\".\"\ntime=\".\"\norder=\".\"\n[codes]\n")
            .1
            .contains("name")
    );
    assert!(
        wrong("name = \"x\"\n[read]\nstatus=\".\"\ntime=\".\"\n[codes]\n")
            .1
            .contains("names no order")
    );
}

fn read_with(file: &str, value: &str) -> Result<Vec<Draft>, crate::reject::Refusal> {
    let script = Script::parse(file).unwrap();
    let (headers, options) = (HashMap::new(), Options::default());
    let received_at = service_kit::clock::now();
    let zone = script.zone;
    let record =
        Record { value: value.as_bytes(), headers: &headers, received_at, options: &options, zone };
    script.read(&record)
}

#[test]
fn an_alias_is_told_and_used_by_one_name() {
    let file = "name = \"al\"\n[read]\norder = \".o\"\nalias = \".a\"\nstatus = \".s\"\ntime = \".t\"\n[codes]\nA = \"production.started\"\n";
    let told =
        read_with(file, r#"{"o":"T-1","a":"77","s":"A","t":"2026-11-22T10:00:00Z"}"#).unwrap();
    let used = read_with(file, r#"{"a":"77","s":"A","t":"2026-11-22T11:00:00Z"}"#).unwrap();
    assert_eq!(used[0].order, crate::draft::OrderRef::Alias(told[0].reveals[0].clone()));
}

/// A file for an event whose fields are called by one letter.
fn file(more: &str) -> String {
    format!(
        "name = \"heron\"\n{more}\n[read]\neach = \".ev[]\"\ntracking = \".no\"\nstatus = \".s\"\ntime = \".t\"\neta_earliest = \".a\"\neta_latest = \".b\"\n[codes]\nA = \"shipment.in_transit\"\n"
    )
}

#[test]
fn an_event_that_cannot_be_read_spoils_no_other_and_a_list_without_one_is_no_mistake() {
    let good = r#"{"no":"Z1","s":"A","t":"2026-11-22T10:00:00Z"}"#;
    let read = |events: &str| read_with(&file(""), &format!(r#"{{"ev":[{events}]}}"#));
    assert_eq!(read(&format!(r#"{good},{{"no":"Z1","s":"A"}}"#)).unwrap().len(), 1);
    assert!(read("").unwrap().is_empty());
    let refused = read(r#"{"no":"Z1","s":"A"}"#).unwrap_err();
    assert!(refused.to_string().ends_with("`time` gives nothing"), "{refused}");
    let odd = file("").replace("\".s\"", "\".s | fromjson\"");
    let refused = read_with(&odd, &format!(r#"{{"ev":[{good}]}}"#)).unwrap_err();
    assert!(refused.to_string().contains("`status` gives nothing: "), "{refused}");
}

#[test]
fn what_is_expected_may_be_days_moments_or_one_alone() {
    let expected = |told: &str| {
        let event = format!(r#"{{"ev":[{{"no":"Z","s":"A","t":"2026-11-22T10:00:00Z",{told}}}]}}"#);
        let eta = read_with(&file(""), &event).unwrap().remove(0).data.eta?;
        Some([eta.earliest, eta.latest].map(|at| at.format("%d %H:%M").to_string()))
    };
    let some = |one: &str, other: &str| Some([one.to_owned(), other.to_owned()]);
    let day = expected(r#""b":"2026-11-25""#);
    assert_eq!(day, expected(r#""b":"25/11/2026""#));
    assert_eq!(day, expected(r#""a":"2026-11-25T00:00:00""#), "one alone is both");
    assert_eq!(expected(r#""b":1795312800"#), some("22 02:00", "22 02:00"));
    assert_eq!(expected(r#""b":"never""#), None);
}

#[test]
fn a_question_that_would_never_be_asked_is_refused_with_its_line() {
    let wrong = |poll: &str| {
        let poll = format!("[poll]\nurl = \"https://x.example/{{tracking}}\"\n{poll}");
        Script::parse(&file(&poll)).map(|_| ()).unwrap_err()
    };
    assert!(wrong("").1.contains("would never ask"));
    assert_eq!(wrong("[poll.stages]\n\"shipment.out_for_delivry\" = \"20m\"").0, 5);
    let (_, what) = wrong("[poll.stages]\ndelivered = \"20m\"");
    assert!(what.contains("is it `shipment.delivered`?"), "{what}");
    assert!(wrong("every = \"6h\"\nheader = \"x key:\"").1.contains("header"));
    assert!(wrong("every = \"6h\"\nprefix = \"Bearer \"").1.contains("no header"));
    assert!(wrong("every = \"6h\"\nper_second = 0").1.contains("1 to 100"));
    let (line, what) = Script::parse(&file("").replace("heron", "milepost")).unwrap_err();
    assert!(line == 1 && what.contains("the clock"), "{line}: {what}");
    let (line, what) =
        Script::parse(&file("").replace("shipment.in_transit", "delivered")).unwrap_err();
    assert_eq!(
        (line, what.as_str()),
        (11, "`delivered` is no milestone: is it `shipment.delivered`?")
    );
}

#[test]
fn parcels_are_the_carriers_that_is_asked() {
    let poll =
        "[poll]\nurl = \"https://x.example/{tracking}\"\ncarrier = \"Heron Post\"\nevery = \"6h\"";
    let event = r#"{"ev":[{"no":"Z1","s":"A","t":"2026-11-22T10:00:00Z"}]}"#;
    let draft = read_with(&file(poll), event).unwrap().remove(0);
    assert_eq!(draft.data.carrier.as_deref(), Some("Heron Post"));
}
