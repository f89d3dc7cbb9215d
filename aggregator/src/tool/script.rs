//! Tries a source's file on a sample: what the service would make of it, field by field.

use super::samples::{Report, describe, line, sample};
use crate::draft::Draft;
use crate::reject::Refusal;
use crate::source::{MOST_EVENTS, Options, Record, Script};
use crate::validate;
use contract::event::Confidence;
use service_kit::clock;
use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;

/// Checks the file and reads the sample with it.
pub(super) fn test(file: &Path, example: &Path) -> Result<Report, String> {
    let script = Script::open(file).map_err(|error| error.to_string())?;
    let bytes =
        std::fs::read(example).map_err(|error| format!("{}: {error}", example.display()))?;
    let value = sample(bytes);
    let (headers, options) = (HashMap::new(), Options::default());
    let received_at = clock::now();
    let zone = script.zone;
    let record = Record { value: &value, headers: &headers, received_at, options: &options, zone };
    let read = script.read(&record).and_then(checked);
    let mut report = Report { text: String::new(), refused: usize::from(read.is_err()) };
    let name = format!("source.{}", script.name);
    match &read {
        Ok(drafts) if !drafts.is_empty() => {
            let _ = writeln!(report.text, "{name}");
            for draft in drafts {
                tell(&mut report.text, draft);
            }
        }
        Ok(_) => {
            let _ = writeln!(report.text, "{name}\n    nothing: the list is empty");
        }
        Err(_) => describe(&mut report.text, &name, &read),
    }
    Ok(report)
}

/// As the service checks what a source says.
fn checked(mut drafts: Vec<Draft>) -> Result<Vec<Draft>, Refusal> {
    if drafts.len() > MOST_EVENTS {
        return Err(Refusal::Shape(format!("a record has at most {MOST_EVENTS} events")));
    }
    for draft in &mut drafts {
        validate::check(draft, clock::now())?;
    }
    Ok(drafts)
}

/// An event, and below it each field that is filled.
fn tell(text: &mut String, draft: &Draft) {
    line(text, draft);
    let data = &draft.data;
    let money = data
        .money
        .as_ref()
        .map(|money| format!("{} {} (in its smallest unit)", money.amount, money.currency));
    let eta = data.eta.map(|eta| format!("{} to {}", eta.earliest, eta.latest));
    let assumed = data.tz_assumed.then(|| "its zone was not told".to_owned());
    let reported = (data.confidence == Confidence::Reported).then(|| "reported".to_owned());
    let fields = [
        ("id", Some(draft.id.clone())),
        ("carrier", data.carrier.clone()),
        ("tracking", data.tracking_number.clone()),
        ("shipment", data.shipment.clone()),
        ("line", data.line.clone()),
        ("alias", draft.reveals.first().cloned()),
        ("location", data.location.clone()),
        ("reason", data.reason.clone()),
        ("note", data.note.clone()),
        ("eta", eta),
        ("amount", money),
        ("corrects", data.corrects.clone()),
        ("time", assumed),
        ("confidence", reported),
        ("back", data.step_back.then(|| "a declared step back".to_owned())),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            let _ = writeln!(text, "        {name:<10} {value}");
        }
    }
}
