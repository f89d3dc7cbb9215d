//! Lines of a table or of JSON, and what is wrong with one.

use chrono::{DateTime, FixedOffset, NaiveDate};
use contract::id::{CustomerId, OrderId};
use contract::milestone::Milestone;
use serde::Deserialize;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// One line. Times are RFC 3339, with their offset: who reads one without would have to guess.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) order: OrderId,
    pub(super) placed_at: DateTime<FixedOffset>,
    pub(super) customer: CustomerId,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) email: Option<String>,
    #[serde(default)]
    pub(super) phone: Option<String>,
    #[serde(default)]
    pub(super) locale: Option<String>,
    /// Where it stands: a milestone.
    #[serde(default)]
    pub(super) status: Option<Milestone>,
    #[serde(default)]
    pub(super) status_at: Option<DateTime<FixedOffset>>,
    #[serde(default)]
    pub(super) carrier: Option<String>,
    #[serde(default)]
    pub(super) tracking_number: Option<String>,
    /// The last day that was promised.
    #[serde(default)]
    pub(super) promise: Option<NaiveDate>,
}

/// Lines, or what is wrong with one, and where.
pub(super) type Lines = Box<dyn Iterator<Item = Result<Line, String>>>;

pub(super) fn lines(path: &Path) -> anyhow::Result<Lines> {
    let mut file = BufReader::new(File::open(path)?);
    // Some programs mark a text as UTF-8.
    if file.fill_buf()?.starts_with("\u{feff}".as_bytes()) {
        file.consume('\u{feff}'.len_utf8());
    }
    let is_table = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    Ok(if is_table { table(file) } else { json_lines(file) })
}

/// Some programs write `;` between columns, where a comma is what stands before cents.
fn delimiter(file: &mut impl BufRead) -> u8 {
    let head = file.fill_buf().unwrap_or_default();
    let head = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if head.contains(&b';') && !head.contains(&b',') { b';' } else { b',' }
}

pub(super) fn table(mut file: impl BufRead + 'static) -> Lines {
    // Of CR LF the second half is read with the next row.
    let head = file.fill_buf().unwrap_or_default();
    let head = head.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
    let behind = u64::from(!head.ends_with(b"\r\n"));
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader
        .trim(csv::Trim::All)
        .delimiter(delimiter(&mut file))
        .from_reader(file.chain(&b"\n"[..]));
    let mut rows = reader.into_records();
    Box::new(std::iter::from_fn(move || {
        let row = rows.next()?;
        let reader = rows.reader_mut();
        // It stands behind the row's end by now.
        let line = reader.position().line() - behind;
        let columns = reader.headers().cloned().unwrap_or_default();
        let read = row.map_err(|error| error.to_string()).and_then(|row| {
            let read = row.deserialize(Some(&columns));
            read.map_err(|error| format!("{}{}", wrong_column(&row, &columns), why(&error)))
        });
        Some(read.map_err(|why| format!("line {line}: {why}")))
    }))
}

/// What is wrong, without the place: that is told already.
fn why(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => err.kind().to_string(),
        _ => error.to_string(),
    }
}

/// The first column that holds what it cannot hold.
fn wrong_column(row: &csv::StringRecord, columns: &csv::StringRecord) -> String {
    let is_time = |text: &str| text.parse::<DateTime<FixedOffset>>().is_ok();
    let fits = |(name, text): &(&str, &str)| match *name {
        "order" => text.parse::<OrderId>().is_ok(),
        "customer" => text.parse::<CustomerId>().is_ok(),
        "placed_at" => is_time(text),
        _ if text.is_empty() => true,
        "status" => text.parse::<Milestone>().is_ok(),
        "status_at" => is_time(text),
        "promise" => text.parse::<NaiveDate>().is_ok(),
        _ => true,
    };
    let wrong = columns.iter().zip(row).find(|cell| !fits(cell));
    wrong.map(|(name, _)| format!("{name}: ")).unwrap_or_default()
}

pub(super) fn json_lines(file: impl BufRead + 'static) -> Lines {
    let lines = file.lines().enumerate();
    let filled =
        lines.filter(|(_, line)| line.as_ref().map_or(true, |text| !text.trim().is_empty()));
    Box::new(filled.map(|(index, line)| {
        let read = line.map_err(|error| error.to_string());
        let read = read.and_then(|text| serde_json::from_str(&text).map_err(|e| e.to_string()));
        read.map_err(|why| format!("line {}: {why}", index + 1))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "order,placed_at,customer\n";

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_column() {
        let text =
            "\nTM 2,2026-11-20T01:00:00Z,C-1\nTM-1,2026-11-20 10:00,C-1\nTM-1,20/11/2026,C-1\n";
        let rows: Vec<_> = table(std::io::Cursor::new(format!("{HEAD}{text}"))).collect();
        let wrong: Vec<&String> = rows.iter().map(|row| row.as_ref().unwrap_err()).collect();
        assert!(wrong[0].starts_with("line 3: order: "), "{}", wrong[0]);
        assert!(wrong[1].starts_with("line 4: placed_at: "), "{}", wrong[1]);
        assert!(wrong[2].starts_with("line 5: placed_at: "), "{}", wrong[2]);
    }

    #[test]
    fn lines_are_counted_however_they_end() {
        let text = format!("{HEAD}TM-1,2026-11-20T01:00:00Z,C-1\nTM-1,never,C-1\nTM-1,never,C-1\n");
        for text in [text.replace('\n', "\r\n"), text] {
            let rows: Vec<_> = table(std::io::Cursor::new(text)).collect();
            let wrong: Vec<&String> =
                rows[1..].iter().map(|row| row.as_ref().unwrap_err()).collect();
            assert!(
                wrong[0].starts_with("line 3: ") && wrong[1].starts_with("line 4: "),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn a_row_is_told_by_its_line_also_at_the_end_of_the_file() {
        let text = format!("{HEAD}TM-1,2026-11-20T01:00:00Z,C-1\nTM-1,never,C-1");
        let rows: Vec<_> = table(std::io::Cursor::new(text)).collect();
        let wrong = rows[1].as_ref().unwrap_err();
        assert!(wrong.starts_with("line 3: placed_at: "), "{wrong}");
    }

    #[test]
    fn columns_may_be_divided_by_semicolons() {
        let text = "order;placed_at;customer\nTM-1;2026-11-20T08:00:00+07:00;C-1\n";
        let rows: Vec<_> = table(std::io::Cursor::new(text)).collect();
        assert_eq!(rows[0].as_ref().unwrap().order.as_str(), "TM-1");
    }
}
