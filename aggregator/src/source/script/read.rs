//! From a record to drafts, by what the file says.

use super::Script;
use crate::draft::{Draft, Expected, OrderRef, tracking_alias};
use crate::reject::{Refusal, excerpt};
use crate::source::doc::parse_or_form;
use crate::source::field::{hashed_id, money, order};
use crate::source::record::Record;
use crate::source::time::{When, days, epoch, when};
use chrono_tz::Tz;
use contract::event::EtaRange;
use jaq_json::Val;
use serde_json::Value;
use std::collections::HashMap;

pub(super) fn read(script: &Script, record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    // Our own parser first: it bounds the depth.
    let document = parse_or_form(record.value)?;
    if !is_shallow(&document) {
        return Err(Refusal::Shape("a text in it nests too deeply".to_owned()));
    }
    let text = document.to_string();
    let input = jaq_json::read::parse_single(text.as_bytes());
    let input = input.map_err(|error| Refusal::NotJson(error.to_string()))?;
    let events = match &script.each {
        Some(each) => each.values(input).map_err(|error| Refusal::Shape(excerpt(&error)))?,
        None => vec![input],
    };
    let mut left = MOST_TEXT;
    events.iter().map(|event| draft(script, record, event, &mut left)).collect()
}

/// Bytes that the filters of all fields of all events of a record may make: an event may hold the
/// whole record, and each of its fields too.
const MOST_TEXT: usize = 8 * 1024 * 1024;

/// Deepest nesting that a text may have, in case a filter reads it as JSON.
const DEEPEST: usize = 100;

/// Can every text in it be read as JSON without going too deep?
fn is_shallow(value: &Value) -> bool {
    match value {
        Value::String(text) => text.bytes().filter(|b| matches!(b, b'[' | b'{')).count() <= DEEPEST,
        Value::Array(list) => list.iter().all(is_shallow),
        Value::Object(fields) => fields.values().all(is_shallow),
        _ => true,
    }
}

/// The fields of one event that are filled.
struct Told(HashMap<&'static str, String>);

impl Told {
    fn get(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    fn need(&self, name: &str) -> Result<String, Refusal> {
        self.get(name).ok_or_else(|| Refusal::Shape(format!("`{name}` gives nothing")))
    }
}

fn draft(
    script: &Script,
    record: &Record<'_>,
    event: &Val,
    left: &mut usize,
) -> Result<Draft, Refusal> {
    let mut told = Told(HashMap::new());
    for (name, filter) in &script.fields {
        let Some(text) = filter.text(event) else { continue };
        let more = left.checked_sub(text.len());
        *left = more.ok_or_else(|| Refusal::Shape("the filters make too much of it".to_owned()))?;
        told.0.insert(name, text);
    }
    let (status, time) = (told.need("status")?, told.need("time")?);
    let happened = moment(&time, record.zone)?;
    let named = reference(script, &told)?;
    let tracking = told.get("tracking");
    let parts = [
        &tracking.clone().unwrap_or_default(),
        &status,
        &time,
        &told.get("line").unwrap_or_default(),
    ];
    let id = told.get("id").unwrap_or_else(|| hashed_id(&parts.map(String::as_str)));
    let mut draft = script.meaning(record, &status).draft(&script.name, id, happened, named);
    if let Some(alias) = told.get("alias") {
        draft.reveal(format!("{}:{alias}", script.name));
    }
    let carrier = told.get("carrier");
    if tracking.is_some() || carrier.is_some() {
        draft.parcel(carrier.as_deref().unwrap_or(&script.name), tracking);
    }
    let data = &mut draft.data;
    data.shipment = told.get("shipment");
    data.line = told.get("line");
    data.location = told.get("location");
    data.reason = told.get("reason").or(data.reason.take());
    data.note = told.get("note");
    data.corrects = told.get("corrects");
    let currency = told.get("currency").unwrap_or_else(|| "VND".to_owned());
    data.money = told.get("amount").and_then(|amount| money(&amount, &currency));
    draft.expect(expected(&told, record.zone));
    Ok(draft)
}

/// The order by its number, else by an alias of the source's, else by the parcel.
fn reference(script: &Script, told: &Told) -> Result<OrderRef, Refusal> {
    let alias = told.get("alias").map(|alias| OrderRef::Alias(format!("{}:{alias}", script.name)));
    let parcel = told.get("tracking").map(|number| OrderRef::Alias(tracking_alias(&number)));
    let named = told.get("order").map(|text| order(text.trim_start_matches('#')));
    match (named, alias.or(parcel)) {
        (Some(Ok(order)), _) => Ok(order),
        (_, Some(alias)) => Ok(alias),
        (Some(refused), None) => refused,
        (None, None) => Err(Refusal::BadId("neither order, tracking nor alias".to_owned())),
    }
}

/// A text in any spelling, or a number whose unit shows by its size.
fn moment(text: &str, zone: Tz) -> Result<When, Refusal> {
    match text.parse::<i64>() {
        Ok(number) if text.len() != 14 => epoch(number),
        _ => when(text, zone),
    }
}

fn expected(told: &Told, zone: Tz) -> Option<Expected> {
    let latest = told.get("eta_latest")?;
    let earliest = told.get("eta_earliest").unwrap_or_else(|| latest.clone());
    if latest.len() == 10 {
        return days(&earliest, &latest, zone);
    }
    let range = EtaRange {
        earliest: moment(&earliest, zone).ok()?.at,
        latest: moment(&latest, zone).ok()?.at,
    };
    (range.earliest <= range.latest).then_some(range.into())
}
