//! Brings in the orders that are under way on the first day, from a CSV file or JSON lines. Each
//! line becomes the events that it tells of, through the same topic as anybody's; nobody is told,
//! and a second run changes nothing.

use contract::id::{CustomerId, OrderId};
use contract::milestone::Milestone;
use contract::name::{IMPORTED, source_topic};
use serde::Deserialize;
use serde_json::{Value, json};
use service_kit::kafka::{Outgoing, Producer};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// One line. Times are RFC 3339.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    order: OrderId,
    placed_at: String,
    customer: CustomerId,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    locale: Option<String>,
    /// Where it stands: a milestone.
    #[serde(default)]
    status: Option<Milestone>,
    #[serde(default)]
    status_at: Option<String>,
    #[serde(default)]
    carrier: Option<String>,
    #[serde(default)]
    tracking_number: Option<String>,
    /// The last day that was promised.
    #[serde(default)]
    promise: Option<chrono::NaiveDate>,
}

/// Records in one go.
const PORTION: usize = 1_000;

/// Reads a file into the log; `tell` hears how many lines it has taken. A line that cannot be
/// read ends it, with its number: what came before is in, and the whole file can be given again.
///
/// # Errors
/// The line that cannot be read, or why the log does not take it.
pub async fn run(path: &Path, producer: &Producer, tell: impl Fn(usize)) -> anyhow::Result<usize> {
    let file = std::fs::File::open(path)?;
    let lines = if path.extension().is_some_and(|extension| extension == "csv") {
        table(file)
    } else {
        json_lines(file)
    };
    let (mut open, mut taken) = (Vec::new(), 0);
    for (number, line) in lines {
        let line = line.map_err(|why| anyhow::anyhow!("line {number}: {why}"))?;
        open.extend(records(&line));
        taken += 1;
        if open.len() >= PORTION {
            producer.send(&std::mem::take(&mut open)).await?;
            tell(taken);
        }
    }
    producer.send(&open).await?;
    Ok(taken)
}

type Lines = Box<dyn Iterator<Item = (usize, Result<Line, String>)>>;

fn table(file: impl Read + 'static) -> Lines {
    let reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let rows = reader.into_deserialize().enumerate();
    // The first line names the columns.
    Box::new(
        rows.map(|(index, row)| (index + 2, row.map_err(|error: csv::Error| error.to_string()))),
    )
}

fn json_lines(file: impl Read + 'static) -> Lines {
    let lines = BufReader::new(file).lines().enumerate();
    let filled =
        lines.filter(|(_, line)| line.as_ref().map_or(true, |text| !text.trim().is_empty()));
    Box::new(filled.map(|(index, line)| {
        let read = line.map_err(|error| error.to_string());
        let read = read.and_then(|text| serde_json::from_str(&text).map_err(|e| e.to_string()));
        (index + 1, read)
    }))
}

/// The order itself, and where it stands.
fn records(line: &Line) -> Vec<Outgoing> {
    let customer = json!({"id": line.customer, "name": line.name, "email": line.email,
        "phone": line.phone, "locale": line.locale});
    let placed = json!({"customer": customer, "promise": line.promise});
    let mut records = vec![event(line, Milestone::OrderPlaced, &line.placed_at, &placed)];
    if let Some(status) = line.status.filter(|status| *status != Milestone::OrderPlaced) {
        let at = line.status_at.as_ref().unwrap_or(&line.placed_at);
        let data = json!({"carrier": line.carrier, "tracking_number": line.tracking_number});
        records.push(event(line, status, at, &data));
    }
    records
}

/// A canonical event; its id is made of what it says, so that saying it again is the same event.
fn event(line: &Line, milestone: Milestone, at: &str, data: &Value) -> Outgoing {
    let order = line.order.as_str();
    let event = json!({"specversion": "1.0", "id": format!("{order}:{milestone}:{at}"), "source": "import",
        "type": milestone, "subject": order, "time": at, "data": data});
    Outgoing::new(source_topic("cloudevents"), order.as_bytes(), event.to_string())
        .header("verification", "verified")
        .header(IMPORTED, "true")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "order,placed_at,customer,email,status,status_at,carrier,tracking_number,promise\n";

    fn read(text: &'static str) -> Vec<(usize, Result<Line, String>)> {
        let whole = format!("{HEAD}{text}");
        table(std::io::Cursor::new(whole.into_bytes())).collect()
    }

    #[test]
    fn a_row_is_an_order_and_where_it_stands() {
        let rows = read(
            "TM-1,2026-11-20T01:00:00Z,C-1,a@example.com,shipment.in_transit,2026-11-21T01:00:00Z,ghn,GX1,2026-11-27\n",
        );
        let records = records(rows[0].1.as_ref().unwrap());
        let told: Vec<Value> =
            records.iter().map(|r| serde_json::from_slice(&r.value).unwrap()).collect();
        assert_eq!(
            (told[0]["type"].as_str(), told[1]["type"].as_str()),
            (Some("order.placed"), Some("shipment.in_transit"))
        );
        assert_eq!(told[1]["data"]["tracking_number"], "GX1");
        assert!(records.iter().all(|r| r.headers.iter().any(|(name, _)| name == IMPORTED)));
    }

    #[test]
    fn a_row_without_a_status_is_placed_and_a_wrong_one_is_told_with_its_line() {
        let rows =
            read("TM-1,2026-11-20T01:00:00Z,C-1,,,,,,\nTM 2,2026-11-20T01:00:00Z,C-1,,,,,,\n");
        assert_eq!(records(rows[0].1.as_ref().unwrap()).len(), 1);
        assert!(rows[1].1.is_err() && rows[1].0 == 3);
    }

    #[test]
    fn json_lines_say_the_same() {
        let line = r#"{"order":"TM-1","placed_at":"2026-11-20T01:00:00Z","customer":"C-1","status":"production.started","status_at":"2026-11-21T01:00:00Z"}"#;
        let lines: Vec<_> =
            json_lines(std::io::Cursor::new(format!("{line}\n\n{{}}\n").into_bytes())).collect();
        assert_eq!(records(lines[0].1.as_ref().unwrap()).len(), 2);
        assert!(lines[1].1.is_err() && lines[1].0 == 3);
    }
}
