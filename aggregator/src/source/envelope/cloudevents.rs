//! `source.cloudevents`: a canonical `OrderEvent` from anyone, as `CloudEvents` 1.0: structured
//! (one JSON object) or binary (attributes in headers: `ce_` in Kafka's binding, `ce-` in
//! HTTP's; the value is the data). A webhook's signature covers no headers: what they say is reported.

use crate::draft::DERIVED_SOURCE;
use crate::draft::{Draft, OrderRef, tracking_alias};
use crate::reject::{Refusal, excerpt};
use crate::source::SOURCES;
use crate::source::doc::{Doc, parse};
use crate::source::field::{aliases, json};
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, Meaning, meaning};
use crate::source::time::{When, when};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono_tz::UTC;
use contract::event::{Confidence, EventData};
use contract::milestone::Milestone;
use serde_json::Value;

pub(in crate::source) const SOURCE: Source = Source {
    name: "cloudevents",
    about: "CloudEvents 1.0, structured, binary or a batch: `type` is a milestone's code, `data` as in an `OrderEvent` (with `customer`, else `customer_id`, on `order.placed`; `aliases` are other names of the order, as in `source.shop`); what a webhook says in headers is reported",
    order: "`subject`, else `partitionkey`, else the parcel (`data.tracking_number`)",
    time: "`time`, RFC 3339; without it the receipt",
    zone: UTC,
    table: TABLE,
    read,
};

/// The codes are the milestones' own.
const TABLE: &[Code] = &[];

/// The attributes that may name the order.
const NAMES: [&str; 2] = ["subject", "partitionkey"];

/// Longest name of a source.
const MAX_SOURCE: usize = 64;

/// Who speaks: plain characters, and nobody whom Milepost knows by that name.
fn speaker(source: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-/".contains(c) { c } else { '-' };
    let name: String = source.chars().take(MAX_SOURCE).map(plain).collect();
    let known = name == DERIVED_SOURCE || SOURCES.iter().any(|source| source.name == name);
    if known { format!("cloudevents/{name}") } else { name }
}

/// The attributes, and the data.
struct Envelope {
    attributes: Value,
    data: Value,
    /// Nobody signed the attributes.
    unsigned: bool,
}

/// One event, or the batch of them that a list is (`application/cloudevents-batch+json`).
fn open(record: &Record<'_>) -> Result<Vec<Envelope>, Refusal> {
    let attribute = |name: &str| {
        record.header(&format!("ce_{name}")).or_else(|| record.header(&format!("ce-{name}")))
    };
    let called = record.header("webhook-id").is_some();
    if attribute("specversion").is_some() && !(called && is_structured(record)) {
        let names = ["specversion", "id", "source", "type", "subject", "time", "partitionkey"];
        let told = names
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), Value::from(attribute(name)?))));
        let data = if record.value.is_empty() { Value::Null } else { parse(record.value)? };
        let attributes = Value::Object(told.collect());
        return Ok(vec![Envelope { attributes, data, unsigned: called }]);
    }
    let first = record.value.iter().find(|byte| !byte.is_ascii_whitespace());
    let events =
        if first == Some(&b'[') { json(record.value)? } else { vec![parse(record.value)?] };
    let envelopes = events.into_iter().map(|mut attributes: Value| {
        let data = match attributes.get("data_base64").and_then(Value::as_str) {
            Some(text) => encoded(text).or_else(|why| {
                if is_known(record, &attributes) { Err(why) } else { Ok(Value::Null) }
            })?,
            None => attributes.get_mut("data").map(Value::take).unwrap_or_default(),
        };
        Ok(Envelope { attributes, data, unsigned: false })
    });
    envelopes.collect()
}

/// Is the body an event of its own, which was signed? Then its headers are nobody's word.
fn is_structured(record: &Record<'_>) -> bool {
    let said = record
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/cloudevents"));
    let is_event = |body: Value| body.is_array() || Doc::of(&body).at("specversion").is_there();
    said || json(record.value).is_ok_and(is_event)
}

/// Is it of a type that somebody here knows? What others send may be anything.
fn is_known(record: &Record<'_>, attributes: &Value) -> bool {
    let known = |kind: String| {
        kind.parse::<Milestone>().is_ok() || !meaning(TABLE, record, &kind).is_unknown()
    };
    Doc::of(attributes).text("type").is_some_and(known)
}

/// Data that a sender took for bytes (`CloudEvents` JSON format, 3.1.1).
fn encoded(text: &str) -> Result<Value, Refusal> {
    let bytes = STANDARD.decode(text);
    json(&bytes.map_err(|_| Refusal::Shape("`data_base64` is no Base64".to_owned()))?)
}

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    let envelopes = open(record)?;
    let alone = envelopes.len() == 1;
    // Others' news of no order spoils nobody else's.
    let ours = envelopes.into_iter().filter(|envelope| alone || !is_foreign(record, envelope));
    ours.map(|envelope| one(record, envelope)).collect()
}

/// Is it of no order, and of a type that nobody here knows?
fn is_foreign(record: &Record<'_>, envelope: &Envelope) -> bool {
    let Envelope { attributes, data, .. } = envelope;
    let told = serde_json::from_value::<EventData>(data.clone()).unwrap_or_default();
    let parcel = told.tracking_number.as_deref().map(tracking_alias);
    let doc = Doc::of(attributes);
    let typed = doc.at("type").is_there();
    typed && !is_known(record, attributes) && record.order(doc, &NAMES, parcel).is_err()
}

fn one(record: &Record<'_>, envelope: Envelope) -> Result<Draft, Refusal> {
    let Envelope { attributes, mut data, unsigned } = envelope;
    let doc = Doc::of(&attributes);
    if doc.text("specversion").as_deref() != Some("1.0") {
        return Err(Refusal::Shape("`specversion` is not 1.0".to_owned()));
    }
    let (id, source, kind) = (doc.need("id")?, doc.need("source")?, doc.need("type")?);
    let at = doc.text("time").map(|text| when(&text, record.zone)).transpose()?;
    let at = at.unwrap_or(When::sure(record.received_at));
    let customer = data.get_mut("customer").map(Value::take).filter(Value::is_object);
    let milestone = kind.parse::<Milestone>().ok();
    let names = data.get_mut("aliases").map(Value::take).filter(|_| milestone.is_some());
    let names = names.map(aliases).transpose()?.unwrap_or_default();
    let told: EventData = match milestone {
        Some(_) if data.is_object() => serde_json::from_value(data)
            .map_err(|error| Refusal::Shape(excerpt(&error.to_string())))?,
        // What others call by our names may be something else.
        None => serde_json::from_value(data).unwrap_or_default(),
        Some(_) => EventData::default(),
    };
    let said = milestone.map_or_else(|| meaning(TABLE, record, &kind), Meaning::plain);
    let source = speaker(&source);
    let mut draft = said.draft(&source, id, at, named(record, doc, &told)?);
    let (code, assumed) = (draft.data.source_code.take(), draft.data.tz_assumed);
    *draft.data = EventData { source_code: code, tz_assumed: assumed, ..told };
    if unsigned {
        draft.data.confidence = Confidence::Reported;
    }
    for name in names {
        draft.reveal(name);
    }
    if let Some(number) = draft.data.tracking_number.clone() {
        draft.reveal(tracking_alias(&number));
    }
    draft.customer = customer
        .map(serde_json::from_value)
        .transpose()
        .map_err(|error| Refusal::Shape(excerpt(&error.to_string())))?;
    Ok(draft)
}

fn named(record: &Record<'_>, doc: Doc<'_>, told: &EventData) -> Result<OrderRef, Refusal> {
    let alias = told.tracking_number.as_deref().map(tracking_alias);
    record.order(doc, &NAMES, alias)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::tests::{read_all, read_one, read_with_headers};

    #[test]
    fn structured_and_binary_say_the_same() {
        let structured = r#"{"specversion":"1.0","id":"e1","source":"kiln-7","type":"production.started","subject":"T-70",
            "time":"2026-11-22T03:00:00Z","datacontenttype":"application/json","data":{"line":"2","reason":"second firing"}}"#;
        let headers = [
            ("ce_specversion", "1.0"),
            ("ce_id", "e1"),
            ("ce_source", "kiln-7"),
            ("ce_type", "production.started"),
            ("ce_subject", "T-70"),
            ("ce_time", "2026-11-22T03:00:00Z"),
        ];
        let binary =
            read_with_headers("cloudevents", r#"{"line":"2","reason":"second firing"}"#, &headers)
                .unwrap()
                .remove(0);
        assert_eq!(read_one("cloudevents", structured), binary);
        assert_eq!(
            (binary.milestone, binary.data.line.as_deref()),
            (Milestone::ProductionStarted, Some("2"))
        );
    }

    #[test]
    fn a_batch_is_its_events() {
        let event = |id: &str| {
            format!(
                r#"{{"specversion":"1.0","id":"{id}","source":"kiln-7","type":"order.confirmed","subject":"T-70"}}"#
            )
        };
        let batch = format!(" [{},{}]", event("e1"), event("e2"));
        let ids: Vec<String> =
            read_all("cloudevents", &batch).into_iter().map(|draft| draft.id).collect();
        assert_eq!(ids, ["e1", "e2"]);
        assert!(read_all("cloudevents", "[]").is_empty());
        let foreign = r#"{"specversion":"1.0","id":"e9","source":"bus","type":"com.example.sung"}"#;
        let mixed = format!("[{foreign},{}]", event("e1"));
        assert_eq!(read_one("cloudevents", &mixed).id, "e1");
        let odd = foreign.replace('}', r#","data":{"tracking_number":123}}"#);
        assert_eq!(read_all("cloudevents", &mixed.replace(foreign, &odd)).len(), 1);
        // Of a parcel it is somebody's, and kept for the operator.
        let of_parcel = foreign.replace('}', r#","data":{"tracking_number":"CX1"}}"#);
        assert_eq!(read_all("cloudevents", &mixed.replace(foreign, &of_parcel)).len(), 2);
    }

    #[test]
    fn data_that_came_as_bytes_is_read() {
        let event = r#"{"specversion":"1.0","id":"e1","source":"kiln-7","type":"production.started","subject":"T-70","data_base64":"eyJsaW5lIjoiMiJ9"}"#;
        assert_eq!(read_one("cloudevents", event).data.line.as_deref(), Some("2"));
        let broken = event.replace("eyJsaW5lIjoiMiJ9", "%%");
        assert_eq!(read_with_headers("cloudevents", &broken, &[]).unwrap_err().label(), "shape");
        let foreign = broken.replace("production.started", "com.example.seen");
        assert_eq!(read_one("cloudevents", &foreign).milestone, Milestone::InfoIgnored);
    }

    #[test]
    fn nobody_speaks_for_the_clock_and_a_foreign_type_is_kept() {
        let event = r#"{"specversion":"1.0","id":"e2","source":"milepost","type":"com.example.sung","subject":"T-70","time":"2026-11-22T03:00:00Z"}"#;
        let draft = read_one("cloudevents", event);
        assert_eq!(draft.source, "cloudevents/milepost");
        assert_eq!(draft.data.source_code.as_deref(), Some("com.example.sung"));
        let odd = event.replace("\"time\"", "\"data\":{\"line\":5},\"time\"");
        assert_eq!(read_one("cloudevents", &odd).data.line, None, "their `line` is not ours");
    }

    #[test]
    fn without_a_subject_there_is_no_order() {
        let event = r#"{"specversion":"1.0","id":"e3","source":"kiln-7","type":"order.confirmed","subject":null}"#;
        assert_eq!(read_with_headers("cloudevents", event, &[]).unwrap_err().label(), "bad_id");
        assert_eq!(
            read_with_headers("cloudevents", r#"{"id":"e3"}"#, &[]).unwrap_err().label(),
            "shape"
        );
    }

    #[test]
    fn attributes_that_nobody_signed_are_a_report() {
        let headers = [
            ("ce-specversion", "1.0"),
            ("ce-id", "e9"),
            ("ce-source", "kiln-7"),
            ("ce-type", "production.started"),
            ("ce-subject", "T-70"),
            ("content-type", "application/json"),
            ("webhook-id", "msg_1"),
        ];
        let read = |headers: &[(&str, &str)]| {
            read_with_headers("cloudevents", r#"{"line":"2"}"#, headers).unwrap().remove(0)
        };
        let batch = r#"[{"specversion":"1.0","id":"e1","source":"kiln-7","type":"order.confirmed","subject":"T-71"}]"#;
        let signed = read_with_headers("cloudevents", batch, &headers).unwrap().remove(0);
        assert_eq!(signed.milestone, Milestone::OrderConfirmed, "a batch was signed");
        let (called, written) = (read(&headers), read(&headers[..6]));
        assert_eq!(called.milestone, Milestone::ProductionStarted);
        let sure = [called.data.confidence, written.data.confidence];
        assert_eq!(sure, [Confidence::Reported, Confidence::Confirmed]);
    }

    #[test]
    fn other_names_of_the_order_are_told() {
        let event = |names: &str| {
            let event = r#"{"specversion":"1.0","id":"e1","source":"desk","type":"info.ignored","subject":"T-70","data":{"aliases":NAMES}}"#;
            read_with_headers("cloudevents", &event.replace("NAMES", names), &[])
        };
        let told = event(r#"[" printify: 5cb8","tracking: gx 1"]"#).unwrap().remove(0).reveals;
        assert_eq!(told, ["printify:5cb8", "tracking:GX1"]);
        let long = format!(r#"["a:{}"]"#, "1".repeat(300));
        let many = format!("[{}]", vec![r#""a:1""#; 21].join(","));
        let others = r#"{"specversion":"1.0","id":"e1","source":"crm","type":"com.example.merged","subject":"T-70","data":{"aliases":["Bob","user:bob"]}}"#;
        assert_eq!(
            read_one("cloudevents", others).reveals,
            [""; 0],
            "what others call so is theirs"
        );
        for bad in [
            "[5]",
            r#""a:1""#,
            r#"["5cb8"]"#,
            r#"[":1"]"#,
            r#"["tracking: "]"#,
            r#"["Printify:5"]"#,
            &long,
            &many,
        ] {
            assert_eq!(event(bad).unwrap_err().label(), "shape", "{bad}");
        }
    }

    #[test]
    fn headers_of_a_webhook_are_nobodys_word_and_a_vendor_is_not_spoken_for() {
        let headers = [
            ("ce_specversion", "1.0"),
            ("ce_id", "e9"),
            ("ce_source", "kiln-7"),
            ("ce_type", "order.cancelled"),
            ("ce_subject", "T-99"),
            ("webhook-id", "msg_1"),
        ];
        let body = r#"{"specversion":"1.0","id":"e1","source":"ghn","type":"order.confirmed","subject":"T-70"}"#;
        let draft = read_with_headers("cloudevents", body, &headers).unwrap().remove(0);
        assert_eq!(
            (draft.milestone, draft.source.as_str()),
            (Milestone::OrderConfirmed, "cloudevents/ghn")
        );
        assert_eq!(draft.data.confidence, Confidence::Confirmed);
        let odd = body.replace("\"ghn\"", "\"shop:TM-1\"");
        assert_eq!(read_one("cloudevents", &odd).source, "shop-TM-1");
    }
}
