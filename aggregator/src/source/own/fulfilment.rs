//! `source.fulfilment`: the warehouse. Its times are Viet Nam's, without an offset.

use crate::draft::{Draft, tracking_alias};
use crate::reject::Refusal;
use crate::source::doc::Doc;
use crate::source::field::{filled, json, order};
use crate::source::spec::Source;
use crate::source::table::{Code, code, strict};
use crate::source::time::when;
use chrono_tz::Asia::Ho_Chi_Minh;
use chrono_tz::Tz;
use contract::milestone::Milestone;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Fulfilment {
    id: Value,
    order: String,
    status: String,
    #[serde(default)]
    parcel: Option<String>,
    #[serde(default)]
    lines: Option<Vec<Line>>,
    #[serde(default)]
    carrier: Option<String>,
    #[serde(default)]
    tracking_code: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    updated: String,
}

#[derive(Deserialize)]
struct Line {
    line: String,
    /// How many, perhaps.
    #[serde(flatten)]
    more: Value,
}

/// The warehouse's system.
pub(in crate::source) const SOURCE: Source = Source {
    name: "fulfilment",
    about: "the warehouse's system; CANCELLED with `lines` and without a parcel calls off these lines, of each the `qty` pieces that it says (none: all of them), counted once for each `id`",
    order: "`order`",
    time: "`updated`, dd/MM/yyyy HH:mm:ss, local",
    zone: Ho_Chi_Minh,
    table: TABLE,
    read: |record| read(record.value, record.zone),
};

const TABLE: &[Code] = &[
    code("ALLOCATED", Milestone::InfoIgnored),
    code("PICKED", Milestone::InfoIgnored),
    code("PACKED", Milestone::FulfilmentPacked),
    code("LABEL_CREATED", Milestone::ShipmentLabelCreated),
    code("HANDED_OVER", Milestone::ShipmentHandedOver),
    code("ON_HOLD", Milestone::OrderOnHold),
    code("CANCELLED", Milestone::OrderCancelled),
];

fn read(value: &[u8], zone: Tz) -> Result<Vec<Draft>, Refusal> {
    let record: Fulfilment = json(value)?;
    let milestone = strict(TABLE, &record.status)?.milestone;
    let id = match &record.id {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err(Refusal::Shape("id is a number or a text".to_owned())),
    };
    let time = when(&record.updated, zone)?;
    let mut draft = Draft::new("fulfilment", id, milestone, time.at, order(&record.order)?);
    draft.data.tz_assumed = time.assumed;
    draft.data.shipment = filled(record.parcel);
    let lines = record.lines.unwrap_or_default();
    draft.data.lines = lines.iter().map(|line| line.line.clone()).collect();
    draft.data.carrier = filled(record.carrier);
    draft.data.tracking_number = filled(record.tracking_code);
    draft.data.reason = filled(record.reason);
    draft.reveals = draft.data.tracking_number.iter().map(|n| tracking_alias(n)).collect();
    if is_of_lines(&draft) { by_line(&draft, &lines) } else { Ok(vec![draft]) }
}

/// Are some lines called off before they are in a parcel?
fn is_of_lines(draft: &Draft) -> bool {
    let data = &draft.data;
    draft.milestone == Milestone::OrderCancelled
        && data.shipment.is_none()
        && data.tracking_number.is_none()
        && !data.lines.is_empty()
}

/// The same of each line by itself, without those of which no piece is called off.
fn by_line(draft: &Draft, lines: &[Line]) -> Result<Vec<Draft>, Refusal> {
    let mut told: BTreeMap<&String, Option<u32>> = BTreeMap::new();
    for line in lines {
        let (sum, more) = (told.entry(&line.line).or_insert(Some(0)), pieces(line)?);
        *sum = sum.zip(more).map(|(sum, more)| sum.saturating_add(more));
    }
    told.retain(|_, pieces| *pieces != Some(0));
    if told.is_empty() {
        return Err(Refusal::Shape("`qty` is 0 in every line".to_owned()));
    }
    let of = |(line, pieces): (&String, Option<u32>)| {
        let mut one = draft.clone();
        one.id = format!("{}:{line}", draft.id);
        one.data.line = Some(line.clone());
        one.data.pieces = pieces;
        one.data.lines = Vec::new();
        one
    };
    Ok(told.into_iter().map(of).collect())
}

/// How many pieces a line says; who says none means all of it. What cannot be read might end a line for good:
/// it is refused, and can be driven again.
fn pieces(line: &Line) -> Result<Option<u32>, Refusal> {
    let told = Doc::of(&line.more);
    if told.at("qty").value().is_null() {
        return Ok(None);
    }
    let count = told.number("qty").and_then(|count| u32::try_from(count).ok());
    count.map(Some).ok_or_else(|| Refusal::Shape("`qty` is no number of pieces".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_parcel_reveals_its_tracking_number() {
        let record = r#"{"id":12,"order":"T-1","status":"PACKED","parcel":"P1","lines":[{"line":"1","qty":1}],
            "carrier":"ghn","tracking_code":"GHNX","updated":"20/11/2026 16:40:05"}"#;
        let draft = &read(record.as_bytes(), Ho_Chi_Minh).unwrap()[0];
        assert_eq!(draft.milestone, Milestone::FulfilmentPacked);
        assert_eq!(draft.reveals, ["tracking:GHNX"]);
        assert!(draft.data.tz_assumed);
        assert_eq!(draft.time.to_rfc3339(), "2026-11-20T09:40:05+00:00");
    }

    #[test]
    fn lines_that_are_called_off_before_they_are_packed_are_not_the_whole_order() {
        let record = r#"{"id":13,"order":"T-1","status":"CANCELLED","updated":"20/11/2026 16:40:05",
            "lines":[{"line":"1"},{"line":"3","qty":"1.00"},{"line":"3","qty":1},{"line":"4","qty":0},{"line":"5","qty":null}]}"#;
        let drafts = read(record.as_bytes(), Ho_Chi_Minh).unwrap();
        let said = |d: &Draft| (d.id.clone(), d.data.line.clone().unwrap(), d.data.pieces);
        let line = |id: &str, pieces| (format!("13:{id}"), id.to_owned(), pieces);
        let expected = [line("1", None), line("3", Some(2)), line("5", None)];
        assert_eq!(drafts.iter().map(said).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_count_that_is_none_calls_off_nothing() {
        for qty in ["0", "-1", "1.5", "{}", r#""one""#, "99999999999"] {
            let record = format!(
                r#"{{"id":13,"order":"T-1","status":"CANCELLED","updated":"20/11/2026 16:40:05","lines":[{{"line":"1","qty":{qty}}}]}}"#
            );
            let refused = read(record.as_bytes(), Ho_Chi_Minh).unwrap_err();
            assert_eq!(refused.label(), "shape", "{qty}");
        }
    }

    #[test]
    fn a_status_that_the_warehouse_does_not_have_is_refused() {
        let record = r#"{"id":12,"order":"T-1","status":"EATEN","updated":"20/11/2026 16:40:05"}"#;
        assert_eq!(read(record.as_bytes(), Ho_Chi_Minh).unwrap_err().label(), "unknown_status");
    }
}
