//! `source.debezium`: change records of a table that keeps orders, with or without their schema.
//!
//! The row's status is a milestone's code, or one that the shop's options map. A tombstone and a
//! deleted row say nothing about an order.

use crate::draft::{Draft, tracking_alias};
use crate::reject::Refusal;
use crate::source::doc::{Doc, parse};
use crate::source::field::hashed_id;
use crate::source::record::Record;
use crate::source::spec::Source;
use crate::source::table::{Code, Meaning, meaning};
use crate::source::time::{When, epoch, seconds, when};
use chrono_tz::UTC;
use contract::milestone::Milestone;

pub(in crate::source) const SOURCE: Source = Source {
    name: "debezium",
    about: "Debezium change records, or rows with their marks (`__op`): the row's `status` is a milestone's code or one of the shop's options; deletes and tombstones are info or nothing",
    order: "`order_id`, `order_no`, `order_number` of the row, else its `id`",
    time: "`updated_at` of the row (a number is read as UTC, or as local time of the zone that `options.toml` says), else `source.ts_ms`, else `ts_ms`; of a bare row `__source_ts_ms`, `__ts_ms`",
    zone: UTC,
    table: TABLE,
    read,
};

/// The codes are the milestones' own.
const TABLE: &[Code] = &[];

fn read(record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
    if record.value.is_empty() || record.value == b"null" {
        return Ok(Vec::new());
    }
    let value = parse(record.value)?;
    let whole = Doc::of(&value);
    let envelope = match value.get("payload") {
        Some(payload) => Doc::of(payload),
        None => whole,
    };
    if is_of_no_row(envelope) {
        return Ok(Vec::new());
    }
    let Some(change) = Change::of(envelope)? else { return Ok(Vec::new()) };
    let (row, operation) = (change.row, &change.operation);
    let order = record.order(row, &["order_id", "order_no", "order_number", "id"], None)?;
    let table = change.mark("table").unwrap_or_default();
    let status = row.text("status").unwrap_or_else(|| format!("{table} {operation}"));
    let said = match status.parse::<Milestone>() {
        _ if operation == "d" => Meaning::plain(Milestone::InfoIgnored),
        Ok(milestone) => Meaning::plain(milestone),
        Err(_) => meaning(TABLE, record, &status),
    };
    let happened = moment(row, record)?.or(change.committed()?);
    let happened = happened.ok_or_else(|| Refusal::Shape("no time is told".to_owned()))?;
    let place = ["lsn", "pos", "sequence", "txId"].iter().filter_map(|field| change.mark(field));
    let place = place.collect::<Vec<_>>().join(":");
    let primary = row.any(&["id", "order_id", "order_no", "order_number"]).unwrap_or_default();
    let id = hashed_id(&[&table, &primary, &status, operation, &place, &happened.at.to_rfc3339()]);
    let mut draft = said.draft(SOURCE.name, id, happened, order);
    // A row is written again for other columns' sake.
    draft.data.restates = true;
    if let Some(number) = row.any(&["tracking_number", "tracking_code"]) {
        draft.reveal(tracking_alias(&number));
        (draft.data.carrier, draft.data.tracking_number) = (row.text("carrier"), Some(number));
    }
    Ok(vec![draft])
}

/// A change of a row: in its envelope, or the row alone with its marks (`ExtractNewRecordState`).
struct Change<'a> {
    envelope: Doc<'a>,
    row: Doc<'a>,
    operation: String,
}

impl<'a> Change<'a> {
    /// None of a deleted row of which the database tells nothing.
    fn of(envelope: Doc<'a>) -> Result<Option<Self>, Refusal> {
        let bare = envelope.at("__op").is_there();
        let operation = envelope.need_any(&["op", "__op"])?;
        let rows =
            if bare { [envelope; 2] } else { ["after", "before"].map(|name| envelope.at(name)) };
        match rows.into_iter().find(|row| row.is_there()) {
            Some(row) => Ok(Some(Self { envelope, row, operation })),
            None if operation == "d" => Ok(None),
            None => Err(Refusal::Shape("neither `after` nor `before` is there".to_owned())),
        }
    }

    /// What its source says of it.
    fn mark(&self, field: &str) -> Option<String> {
        let marks = [format!("__{field}"), format!("__source_{field}")];
        let mark = || marks.iter().find_map(|mark| self.envelope.text(mark));
        self.envelope.at("source").text(field).or_else(mark)
    }

    /// When it was written down. A source that knows no time writes 0.
    fn committed(&self) -> Result<Option<When>, Refusal> {
        // The first versions wrote microseconds.
        let fields = ["source.ts_ms", "source.ts_usec", "ts_ms", "__source_ts_ms", "__ts_ms"];
        let told = fields.iter().filter_map(|field| self.envelope.number(field));
        told.filter(|number| *number > 0).map(epoch).next().transpose()
    }
}

/// A tombstone in its envelope, the beginning or the end of a transaction, a table that was emptied, a
/// message of the database's own.
fn is_of_no_row(envelope: Doc<'_>) -> bool {
    let operation = envelope.text("op");
    let marks = matches!(envelope.text("status").as_deref(), Some("BEGIN" | "END"));
    !envelope.is_there()
        || matches!(operation.as_deref(), Some("t" | "m"))
        || operation.is_none() && marks && envelope.at("id").is_there()
        // A table that was made or changed.
        || operation.is_none() && envelope.value().get("ddl").is_some()
}

/// Fewer are days since 1970 (`io.debezium.time.Date`), not seconds.
const SECONDS: i64 = 1_000_000;

/// A row's own time: an ISO text, or an integer whose unit shows by its size. An integer is what a clock
/// without a zone showed, as if that had been UTC's: where the shop says its zone, it is that.
fn moment(row: Doc<'_>, record: &Record<'_>) -> Result<Option<When>, Refusal> {
    let shown = match row.number("updated_at") {
        Some(..=0) => return Ok(None),
        Some(days @ ..SECONDS) => seconds(days * 86_400)?,
        Some(number) => epoch(number)?,
        None => return row.text("updated_at").map(|text| when(&text, record.zone)).transpose(),
    };
    Ok(Some(record.options.zone.map_or(shown, |zone| shown.as_shown_in(zone))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::record::Options;
    use crate::source::tests::{read_all, read_one};
    use chrono_tz::Asia::Ho_Chi_Minh;
    use service_kit::clock;
    use std::collections::HashMap;

    const ENVELOPE: &str = r#"{"before":null,"after":{"order_no":"T-71","status":"fulfilment.packed","updated_at":1795312800000000},
        "source":{"table":"orders","ts_ms":1795312801000,"lsn":7,"txId":9},"op":"u","ts_ms":1795312802000}"#;

    #[test]
    fn with_and_without_schema_a_row_says_its_status() {
        let draft = read_one("debezium", ENVELOPE);
        assert_eq!(
            (draft.milestone, draft.time.timestamp()),
            (Milestone::FulfilmentPacked, 1_795_312_800)
        );
        let wrapped = format!(r#"{{"schema":{{}},"payload":{ENVELOPE}}}"#);
        assert_eq!(read_one("debezium", &wrapped), draft);
    }

    #[test]
    fn a_row_without_its_envelope_says_the_same() {
        let row = r#"{"order_no":"T-71","status":"fulfilment.packed","updated_at":1795312800000000,"__op":"u","__deleted":"false","__source_ts_ms":1795312801000}"#;
        let draft = read_one("debezium", row);
        assert_eq!(
            (draft.milestone, draft.time.timestamp()),
            (Milestone::FulfilmentPacked, 1_795_312_800)
        );
        let first = r#"{"before":null,"after":{"order_no":"T-71","status":"fulfilment.packed"},"source":{"table":"orders","ts_usec":1795312800000000},"op":"c","ts_ms":1795312999000}"#;
        assert_eq!(
            read_one("debezium", first).time,
            draft.time,
            "microseconds, in the first versions"
        );
        let deleted = row.replace(r#""__op":"u""#, r#""__op":"d""#);
        assert_eq!(read_one("debezium", &deleted).milestone, Milestone::InfoIgnored);
    }

    #[test]
    fn where_the_shop_says_its_zone_a_number_is_a_clock_of_it() {
        let options = Options { zone: Some(Ho_Chi_Minh), ..Options::default() };
        let (headers, received_at) = (HashMap::new(), clock::now());
        let value = ENVELOPE.as_bytes();
        let record =
            Record { value, headers: &headers, received_at, options: &options, zone: Ho_Chi_Minh };
        let draft = read(&record).unwrap().remove(0);
        assert_eq!(draft.time.timestamp(), 1_795_312_800 - 7 * 3_600);
    }

    #[test]
    fn a_time_that_the_source_does_not_know_is_none() {
        let at = |own: &str, committed: &str| {
            let row = ENVELOPE.replace("1795312800000000", own).replace("1795312801000", committed);
            read_one("debezium", &row).time.timestamp()
        };
        assert_eq!(at("0", "0"), 1_795_312_802);
        assert_eq!(at("20779", "1795312801000"), 20_779 * 86_400, "days");
    }

    #[test]
    fn a_tombstone_says_nothing_and_a_deleted_row_is_no_milestone() {
        assert!(read_all("debezium", "").is_empty());
        let deleted = ENVELOPE.replace(r#""op":"u""#, r#""op":"d""#);
        assert_eq!(read_one("debezium", &deleted).milestone, Milestone::InfoIgnored);
        for nothing in [
            r#"{"schema":null,"payload":null}"#,
            r#"{"status":"BEGIN","id":"571:53","event_count":null,"ts_ms":1795312801000}"#,
            r#"{"source":{"table":"orders"},"op":"t","ts_ms":1795312801000}"#,
            r#"{"before":null,"after":null,"source":{"table":"orders"},"op":"d","ts_ms":1795312801000}"#,
            r#"{"source":{"db":"shop"},"ddl":"ALTER TABLE orders","tableChanges":[],"ts_ms":1795312801000}"#,
        ] {
            assert!(read_all("debezium", nothing).is_empty(), "{nothing}");
        }
        let foreign = ENVELOPE.replace("fulfilment.packed", "GEPACKT");
        assert_eq!(read_one("debezium", &foreign).data.source_code.as_deref(), Some("GEPACKT"));
    }
}
