//! What the fold promises, over any order of arrival and any repetition.

mod again;
mod arrival;
mod ended;
mod money;
mod parcel;
mod pieces;
mod said_again;
mod state;

use super::*;
use crate::draft::{Draft, OrderRef};
use chrono::{DateTime, TimeDelta, Utc};
use contract::event::Confidence;
use contract::milestone::Milestone;
use contract::timeline::StepState;

fn order() -> OrderId {
    "T-1".parse().unwrap()
}

fn start() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-11-20T01:00:00Z").unwrap().to_utc()
}

/// An event `hour` hours after the start.
fn event(hour: i64, code: &str, change: impl FnOnce(&mut Draft)) -> OrderEvent {
    let at = start() + TimeDelta::hours(hour);
    let id = format!("{code}@{hour}");
    let mut draft = Draft::new("test", id, code.parse().unwrap(), at, OrderRef::Order(order()));
    change(&mut draft);
    draft.into_event(order())
}

fn items(draft: &mut Draft, lines: &[&str]) {
    let item =
        |line: &&str| serde_json::json!({"line": line, "sku": null, "title": "Quà", "quantity": 1});
    draft.data.items = lines.iter().map(|l| serde_json::from_value(item(l)).unwrap()).collect();
}

fn parcel(name: &str, number: &str, lines: &[&str]) -> impl FnOnce(&mut Draft) {
    let (name, number) = (Some(name.to_owned()), Some(number.to_owned()));
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    move |draft| {
        (draft.data.shipment, draft.data.tracking_number, draft.data.lines) = (name, number, lines);
    }
}

fn scan(number: &str) -> impl FnOnce(&mut Draft) {
    let number = Some(number.to_owned());
    move |draft| draft.data.tracking_number = number
}

fn plain() -> Vec<OrderEvent> {
    vec![
        event(0, "order.placed", |d| items(d, &["1"])),
        event(1, "payment.paid", |_| ()),
        event(2, "order.confirmed", |_| ()),
        event(5, "production.started", |d| d.data.line = Some("1".into())),
        event(9, "production.finished", |d| d.data.line = Some("1".into())),
        event(10, "fulfilment.packed", parcel("P1", "X1", &["1"])),
        event(30, "shipment.delivered", scan("X1")),
    ]
}

fn status_of(events: &[OrderEvent]) -> &'static str {
    fold(&order(), events).unwrap().status.code()
}
