//! `source.epcis`: GS1 EPCIS 2.0 object and transformation events, one or a whole document.
//!
//! An event that is repeated with an `errorDeclaration` withdraws itself (EPCIS 2.0, 7.4.1.2);
//! the events that it names as corrective speak for themselves.

mod name;
#[cfg(test)]
mod tests;

use crate::draft::Draft;
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse};
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, Meaning, code, meaning};
use crate::source::time::{When, when};
use chrono_tz::{Tz, UTC};
use contract::milestone::Milestone;
use name::{buyer_order, content_id, reveal, things};

pub(in crate::source) const SOURCE: Source = Source {
    name: "epcis",
    about: "GS1 EPCIS 2.0: `disposition` where it tells of harm, else `bizStep`; a transformation without either is production finished; an error declaration withdraws",
    order: "the `po` of `bizTransactionList`, after its last `:` or `/`; an event without it through the alias `epcis:<EPC>` that another event tells; the first of `bizTransactionList` where nothing has a number of its own",
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
    // Of stocks, labels and things that are sold already.
    code("cycle_counting", Milestone::InfoIgnored),
    code("decommissioning", Milestone::InfoIgnored),
    code("destroying", Milestone::ShipmentLost),
    code("disassembling", Milestone::InfoIgnored),
    code("dispensing", Milestone::InfoIgnored),
    code("encoding", Milestone::InfoIgnored),
    code("installing", Milestone::InfoIgnored),
    code("killing", Milestone::InfoIgnored),
    code("other", Milestone::InfoIgnored),
    code("removing", Milestone::InfoIgnored),
    code("repairing", Milestone::InfoIgnored),
    code("replacing", Milestone::InfoIgnored),
    code("reserving", Milestone::InfoIgnored),
    code("sampling", Milestone::InfoIgnored),
    code("sensor_reporting", Milestone::InfoIgnored),
    code("stock_taking", Milestone::InfoIgnored),
    code("stocking", Milestone::InfoIgnored),
    code("unpacking", Milestone::InfoIgnored),
    // A disposition, where no step is told.
    code("in_transit", Milestone::ShipmentInTransit),
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
    // What was captured, and what somebody is sent who has asked for it (an EPCISQueryDocument).
    let bodies = ["epcisBody", "epcisBody.queryResults.resultsBody"];
    let Some(body) = bodies.map(|path| doc.at(path)).into_iter().find(|body| has_events(*body))
    else {
        return Ok(vec![one(record, doc)?]);
    };
    // Goods that nobody counts are no order's: they spoil nobody else's news.
    let of_orders = body.each("eventList").filter(|event| names_something(record, *event));
    let drafts = of_orders.map(|event| one(record, event)).collect::<Result<Vec<_>, _>>()?;
    match body.each("eventList").next() {
        Some(first) if drafts.is_empty() => Ok(vec![one(record, first)?]),
        _ => Ok(drafts),
    }
}

fn has_events(body: Doc<'_>) -> bool {
    body.at("eventList").value().is_array()
}

fn names_something(record: &Record<'_>, event: Doc<'_>) -> bool {
    record.options.order.is_some()
        || event.each("bizTransactionList").next().is_some()
        || things(event).next().is_some()
}

/// A time without an offset is what the clock of the place showed, whose offset stands beside it.
fn moment(event: Doc<'_>, time: &str, zone: Tz) -> Result<When, Refusal> {
    let told = when(time, zone)?;
    let offset = event.text("eventTimeZoneOffset").filter(|_| told.assumed);
    offset.map_or(Ok(told), |offset| when(&format!("{time}{offset}"), zone).or(Ok(told)))
}

fn one(record: &Record<'_>, event: Doc<'_>) -> Result<Draft, Refusal> {
    let kind = event.need_any(&["type", "isA"])?;
    let time = event.need("eventTime")?;
    let happened = moment(event, &time, record.zone)?;
    let order = buyer_order(record, event)?;
    let step = event.text("bizStep").map(|step| short(&step).to_owned());
    let harm = event.text("disposition").map(|name| short(&name).to_owned());
    let harm = harm.filter(|name| HARM.contains(&name.as_str()));
    let made = (kind == "TransformationEvent").then(|| "transformation".to_owned());
    let moves = event.text("disposition").filter(|name| short(name) == "in_transit");
    let code = harm.or(made).or(step).or(moves.map(|_| "in_transit".to_owned()));
    let untold = code.is_none();
    let code = code.unwrap_or_else(|| kind.clone());
    let id = event.text("eventID").unwrap_or_else(|| content_id(event, [&kind, &time, &code]));
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
    // A step need not be told (EPCIS 2.0, 7.4.1): that is no code which nobody knows.
    let said = meaning(TABLE, record, &code);
    let unsaid = untold && said.is_unknown();
    let said = if unsaid { Meaning::plain(Milestone::InfoIgnored) } else { said };
    let mut draft = said.draft(SOURCE.name, id, happened, order);
    draft.data.location = event.any(&["readPoint.id", "bizLocation.id"]);
    reveal(&mut draft, event);
    Ok(draft)
}
