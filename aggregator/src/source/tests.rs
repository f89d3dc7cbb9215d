//! What holds for every source.

use super::{Catalog, SOURCES};
use crate::draft::Draft;
use crate::reject::Refusal;
use chrono::{DateTime, Utc};
use contract::event::Confidence;
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};

fn received() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-11-25T12:00:00Z").unwrap().to_utc()
}

/// Reads a record with headers.
pub(super) fn read_with_headers(
    source: &str,
    value: &str,
    headers: &[(&str, &str)],
) -> Result<Vec<Draft>, Refusal> {
    let headers: HashMap<String, Vec<u8>> =
        headers.iter().map(|(k, v)| ((*k).to_owned(), v.as_bytes().to_vec())).collect();
    let catalog = Catalog::default();
    catalog.read(source, value.as_bytes(), &headers, received(), Confidence::Confirmed)
}

/// Reads a record that is good.
pub(super) fn read_all(source: &str, value: &str) -> Vec<Draft> {
    read_with_headers(source, value, &[]).unwrap()
}

/// Reads a record that says one thing.
pub(super) fn read_one(source: &str, value: &str) -> Draft {
    let mut drafts = read_all(source, value);
    assert_eq!(drafts.len(), 1, "{drafts:?}");
    drafts.remove(0)
}

#[test]
fn names_are_unique_and_tables_say_each_code_once() {
    let names: HashSet<&str> = SOURCES.iter().map(|source| source.name).collect();
    assert_eq!(names.len(), SOURCES.len());
    for source in SOURCES {
        let codes: HashSet<&str> = source.table.iter().map(|line| line.text).collect();
        assert_eq!(codes.len(), source.table.len(), "{}", source.name);
    }
}

#[test]
fn a_record_lies_under_the_name_by_which_it_calls_its_order() {
    let name = |source: &str, value: &str| {
        Catalog::default().name_in(source, value.as_bytes(), &HashMap::new(), received())
    };
    let scan = |code: &str, order: &str| {
        format!(
            r#"{{"id":"1","carrier":"ghn","tracking_number":"{code}","code":"in_transit","ts":1795312800,"order_ref":{order}}}"#
        )
    };
    assert_eq!(name("logistics", &scan("GHN1", "\"T-1\"")).as_deref(), Some("T-1"));
    assert_eq!(name("logistics", &scan("ghn 1", "null")).as_deref(), Some("tracking:GHN1"));
    let long = "G".repeat(200);
    for (source, value) in [
        ("logistics", scan(&long, "null")),
        ("logistics", "{".to_owned()),
        ("nobody", "{}".to_owned()),
    ] {
        assert_eq!(name(source, &value), None, "{source}: {value}");
    }
}

#[test]
fn a_shop_may_say_what_a_code_means_and_which_field_names_the_order() {
    let folder = std::env::temp_dir().join(format!("milepost-options-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let text = "[woocommerce]\norder = \"meta.number\"\n[woocommerce.codes]\ncompleted = \"shipment.delivered\"\n";
    std::fs::write(folder.join("options.toml"), text).unwrap();
    let catalog = Catalog::open(Some(&folder)).unwrap();
    let order = r#"{"id":1,"number":"9","meta":{"number":"T-5"},"status":"completed","date_created_gmt":"2026-11-20T01:00:00"}"#;
    let read = catalog
        .read("woocommerce", order.as_bytes(), &HashMap::new(), received(), Confidence::Confirmed)
        .unwrap();
    assert_eq!(read.last().unwrap().milestone.code(), "shipment.delivered");
    assert_eq!(read[0].order, crate::draft::OrderRef::Order("T-5".parse().unwrap()));
    std::fs::write(folder.join("options.toml"), "[woocommerce]\nordre = \"x\"\n").unwrap();
    let error = Catalog::open(Some(&folder)).unwrap_err().to_string();
    assert!(error.contains("line 2") && error.contains("ordre"), "{error}");
    std::fs::write(folder.join("options.toml"), "[woo]\n").unwrap();
    assert!(Catalog::open(Some(&folder)).unwrap_err().to_string().contains("no source woo"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_record_with_too_many_events_is_refused() {
    let event = r#"{"type":"ObjectEvent","bizStep":"packing","eventTime":"2026-11-22T10:00:00Z","eventID":"e","bizTransactionList":[{"type":"po","bizTransaction":"T-1"}]}"#;
    let document = |count: usize| {
        format!(r#"{{"epcisBody":{{"eventList":[{}]}}}}"#, vec![event; count].join(","))
    };
    assert_eq!(read_all("epcis", &document(200)).len(), 200);
    let refused = read_with_headers("epcis", &document(201), &[]).unwrap_err();
    assert_eq!(refused.label(), "shape");
}

/// JSON as nobody should send it.
fn any_json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|n| serde_json::json!(n)),
        "\\PC{0,12}".prop_map(Value::from),
        Just(Value::from("2026-11-22T10:00:00Z")),
        Just(Value::from("22/11/2026 10:00:00")),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(field_name(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Names that the sources look for, so that the noise gets past their doors.
fn field_name() -> impl Strategy<Value = String> {
    const NAMES: &str = "id status data msg result order shipment tracking_number tracking_code \
        tracking_details checkpoints tag subtag events OrderCode Status Time label_id status_id action_time DATA \
        ORDER_NUMBER ORDER_STATUS ORDER_STATUSDATE bill_no status_time client_code orderId resultCode responseTime \
        vnp_TxnRef vnp_ResponseCode type created object payment_intent metadata number track_info latest_status \
        order_id happened_at transactions created_at updated_at name financial_status date_created_gmt event \
        orderReferenceId items fulfillments resource specversion source subject time op after before epcisBody \
        eventList eventTime bizTransactionList bizStep errorDeclaration declarationTime eta tracking_status";
    let names: Vec<&str> = NAMES.split_whitespace().collect();
    prop::sample::select(names).prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever comes, a source answers: drafts or a named refusal.
    #[test]
    fn no_source_falls_over_json(value in any_json()) {
        let text = value.to_string();
        for source in SOURCES {
            let _ = read_with_headers(source.name, &text, &[]);
        }
    }

    #[test]
    fn no_source_falls_over_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let catalog = Catalog::default();
        for source in SOURCES {
            let _ = catalog.read(source.name, &bytes, &HashMap::new(), received(), Confidence::Reported);
        }
    }
}
