//! From a record to drafts, by what the file says.

use super::{Script, json};
use crate::draft::{Draft, Expected, OrderRef, tracking_alias};
use crate::reject::{Refusal, excerpt};
use crate::source::doc::parse_or_form;
use crate::source::field::{hashed_id, money, order};
use crate::source::record::Record;
use crate::source::time::{When, epoch, expected_between, when};
use chrono_tz::Tz;
use jaq_json::Val;
use std::collections::HashMap;

pub(super) fn read(script: &Script, record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    // Our own parser first: it bounds the depth.
    let document = parse_or_form(record.value)?;
    let input = json::of(&document).map_err(|error| Refusal::NotJson(error.to_string()))?;
    let mut made = Made { drafts: Vec::new(), refused: None, left: MOST_WORK };
    match &script.each {
        None => made.take(script, record, &input)?,
        Some(each) => {
            for event in each.values(input) {
                let event = event.map_err(|error| Refusal::Shape(excerpt(&error)))?;
                made.take(script, record, &event)?;
            }
        }
    }
    match made.refused {
        Some(refused) if made.drafts.is_empty() => Err(refused),
        _ => Ok(made.drafts),
    }
}

/// Bytes that the filters of all fields of all events of a record may work on: an event may hold the
/// whole record, and each filter may make it larger.
const MOST_WORK: usize = 64 * 1024 * 1024;

/// What came of a record so far. An event that cannot be read spoils no other.
struct Made {
    drafts: Vec<Draft>,
    refused: Option<Refusal>,
    left: usize,
}

impl Made {
    /// Reads an event; only too much work refuses the whole record.
    fn take(&mut self, script: &Script, record: &Record<'_>, event: &Val) -> Result<(), Refusal> {
        let size = event.to_string().len();
        let work = script.fields.iter().map(|(_, filter)| size << filter.growth).sum();
        let left = self.left.checked_sub(work);
        self.left =
            left.ok_or_else(|| Refusal::Shape("the filters make too much of it".to_owned()))?;
        match draft(script, record, event) {
            Ok(draft) => self.drafts.push(draft),
            Err(refusal) => self.refused = self.refused.take().or(Some(refusal)),
        }
        Ok(())
    }
}

/// The fields of one event that are filled, and why others are not.
#[derive(Default)]
struct Told {
    texts: HashMap<&'static str, String>,
    wrong: HashMap<&'static str, String>,
}

impl Told {
    fn get(&self, name: &str) -> Option<String> {
        self.texts.get(name).cloned()
    }

    fn need(&self, name: &str) -> Result<String, Refusal> {
        let why = self.wrong.get(name).map(|why| format!(": {}", excerpt(why)));
        let missing = || format!("`{name}` gives nothing{}", why.unwrap_or_default());
        self.get(name).ok_or_else(|| Refusal::Shape(missing()))
    }
}

fn draft(script: &Script, record: &Record<'_>, event: &Val) -> Result<Draft, Refusal> {
    let mut told = Told::default();
    for (name, filter) in &script.fields {
        match filter.text(event) {
            Ok(Some(text)) => drop(told.texts.insert(name, text)),
            Ok(None) => {}
            Err(why) => drop(told.wrong.insert(name, why)),
        }
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
        draft.parcel(carrier.as_deref().unwrap_or(&script.carrier), tracking);
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

/// A day or a moment, and another one; one alone is both.
fn expected(told: &Told, zone: Tz) -> Option<Expected> {
    // A number is a moment, whatever its unit.
    let spelled = |text: String| match text.parse::<i64>() {
        Ok(number) if text.len() != 14 => epoch(number).map_or(text, |when| when.at.to_rfc3339()),
        _ => text,
    };
    let [first, last] = ["eta_earliest", "eta_latest"].map(|name| told.get(name).map(spelled));
    let (first, last) = (first.clone().or(last.clone())?, last.or(first)?);
    expected_between(&first, &last, zone)
}
