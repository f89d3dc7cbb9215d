//! Brings in the orders that are under way on the first day, from a CSV file or JSON lines. Each
//! line becomes the events that it tells of, through the same topic as anybody's; nobody is told,
//! and a second run changes nothing.

mod lines;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::{DateTime, FixedOffset};
use contract::milestone::Milestone;
use contract::name::{IMPORTED, source_topic};
use lines::{Line, lines};
use serde_json::{Value, json};
use service_kit::kafka::{Outgoing, Producer};
use std::path::Path;

/// Records in one go.
const PORTION: usize = 1_000;

/// Reads a file into the log; `tell` hears how many lines it has taken. The whole file is looked at first:
/// one line that cannot be read, and nothing of it is taken.
///
/// # Errors
/// The line that cannot be read, or why the log does not take it; then it can be given again.
pub async fn run(path: &Path, producer: &Producer, tell: impl Fn(usize)) -> anyhow::Result<usize> {
    for line in lines(path)? {
        line.map_err(anyhow::Error::msg)?;
    }
    let (mut open, mut taken) = (Vec::new(), 0);
    for line in lines(path)? {
        open.extend(records(&line.map_err(anyhow::Error::msg)?));
        taken += 1;
        if open.len() >= PORTION {
            producer.send(&std::mem::take(&mut open)).await?;
            tell(taken);
        }
    }
    producer.send(&open).await?;
    Ok(taken)
}

/// The order itself, and where it stands.
fn records(line: &Line) -> Vec<Outgoing> {
    let customer = json!({"id": line.customer, "name": line.name, "email": line.email,
        "phone": line.phone, "locale": line.locale});
    let placed = json!({"customer": customer, "promise": line.promise, "restates": true});
    // Of an order that stands nowhere yet the parcel may be known all the same.
    let labelled = line.tracking_number.as_ref().map(|_| Milestone::ShipmentLabelCreated);
    let status = line.status.filter(|status| *status != Milestone::OrderPlaced).or(labelled);
    let parcel =
        json!({"carrier": line.carrier, "tracking_number": line.tracking_number, "restates": true});
    let mut records = vec![event(line, Milestone::OrderPlaced, line.placed_at, &placed)];
    if let Some(status) = status {
        records.push(event(line, status, line.status_at.unwrap_or(line.placed_at), &parcel));
    }
    records
}

/// A canonical event; its id is made of what it says, so that saying it again is the same event, and to say
/// more of it later another one.
fn event(line: &Line, milestone: Milestone, at: DateTime<FixedOffset>, data: &Value) -> Outgoing {
    let (order, at) = (line.order.as_str(), at.to_rfc3339());
    let said = digest(&SHA256, data.to_string().as_bytes());
    let said = said.as_ref()[..8].iter().fold(String::new(), |id, byte| format!("{id}{byte:02x}"));
    let event = json!({"specversion": "1.0", "id": format!("{order}:{milestone}:{at}:{said}"), "source": "import",
        "type": milestone, "subject": order, "time": at, "data": data});
    Outgoing::new(source_topic("cloudevents"), order.as_bytes(), event.to_string())
        .header("verification", "verified")
        .header(IMPORTED, "true")
}

#[cfg(test)]
mod tests {
    use super::lines::{json_lines, table};
    use super::*;

    const HEAD: &str =
        "order,placed_at,customer,email,status,status_at,carrier,tracking_number,promise\n";

    fn read(text: &'static str) -> Vec<Result<Line, String>> {
        let whole = format!("{HEAD}{text}");
        table(std::io::Cursor::new(whole.into_bytes())).collect()
    }

    fn told(records: &[Outgoing]) -> Vec<Value> {
        records.iter().map(|record| serde_json::from_slice(&record.value).unwrap()).collect()
    }

    #[test]
    fn a_row_is_an_order_and_where_it_stands() {
        let rows = read(
            "TM-1,2026-11-20T01:00:00Z,C-1,a@example.com,shipment.in_transit,2026-11-21T01:00:00Z,ghn,GX1,2026-11-27\n",
        );
        let records = records(rows[0].as_ref().unwrap());
        let told = told(&records);
        assert_eq!(
            (told[0]["type"].as_str(), told[1]["type"].as_str()),
            (Some("order.placed"), Some("shipment.in_transit"))
        );
        assert_eq!(told[1]["data"]["tracking_number"], "GX1");
        assert!(records.iter().all(|r| r.headers.iter().any(|(name, _)| name == IMPORTED)));
    }

    #[test]
    fn a_row_without_a_status_is_placed_and_its_parcel_is_known() {
        let rows = read(
            "TM-1,2026-11-20T01:00:00Z,C-1,,,,ghn,GX1,\nTM-1,2026-11-20T01:00:00Z,C-1,,,,ghn,GX2,\n",
        );
        let [one, other] = [0, 1].map(|row| told(&records(rows[row].as_ref().unwrap())));
        assert_eq!((one.len(), &one[1]["type"]), (2, &json!("shipment.label_created")));
        assert_eq!(one[1]["data"]["tracking_number"], "GX1");
        assert_eq!(one[0]["id"], other[0]["id"], "it is placed once");
        assert_ne!(one[1]["id"], other[1]["id"], "another parcel is another event");
    }

    #[test]
    fn json_lines_say_the_same() {
        let line = r#"{"order":"TM-1","placed_at":"2026-11-20T01:00:00Z","customer":"C-1","status":"production.started","status_at":"2026-11-21T01:00:00Z"}"#;
        let lines: Vec<_> = json_lines(std::io::Cursor::new(format!("{line}\n\n{{}}\n"))).collect();
        assert_eq!(records(lines[0].as_ref().unwrap()).len(), 2);
        assert!(lines[1].as_ref().unwrap_err().starts_with("line 3: "));
    }
}
