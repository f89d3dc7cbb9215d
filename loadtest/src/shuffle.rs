//! Every order of arrival of a 7-event history, every event three times, through Kafka: one and
//! the same timeline.

use crate::expected::plain;
use anyhow::{Context, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use devstack::client::Rest;
use devstack::host::term;
use devstack::manifest::ManifestFile;
use serde_json::{Value, json};
use service_kit::clock;
use service_kit::kafka::{Outgoing, Producer};
use std::time::{Duration, Instant};

pub(crate) async fn prove(manifest: &ManifestFile, orders: usize) -> anyhow::Result<()> {
    let (rest, start) = (Rest::new(manifest.get())?, clock::now() - TimeDelta::hours(20));
    let producer = Producer::new(&manifest.get().kafka_brokers, "prove-shuffle")?;
    let all = permutations(7).into_iter().take(orders).collect::<Vec<_>>();
    term::line(&format!("\n  {} orders of arrival, {} records", all.len(), all.len() * 21));
    let started = Instant::now();
    for (number, chunk) in all.chunks(64).enumerate() {
        let one = |(place, permutation): (usize, &Vec<usize>)| {
            let order = format!("MIX-{}", number * 64 + place);
            let records = seven(&order, start);
            let thrice = permutation.iter().chain(permutation.iter().rev()).chain(permutation);
            thrice
                .map(|index| Outgoing::new(records[*index].0, "", records[*index].1.to_string()))
                .collect::<Vec<_>>()
        };
        let records: Vec<Outgoing> = chunk.iter().enumerate().flat_map(one).collect();
        producer.send(&records).await?;
    }
    let first = stored(&rest, 0).await?;
    for number in 1..all.len() {
        let next = stored(&rest, number).await?;
        ensure!(next == first, "order {number} differs:\n{next}\n{first}");
    }
    let seconds = started.elapsed().as_secs_f64();
    term::line(&format!(
        "  all {} timelines are one and the same, version 7  ({seconds:.0} s)",
        all.len()
    ));
    Ok(())
}

/// The stored timeline without what depends on clock and number.
async fn stored(rest: &Rest, number: usize) -> anyhow::Result<Value> {
    let order = format!("MIX-{number}");
    let timeline = rest.wait_version(&order, 7, Duration::from_mins(5)).await?;
    ensure!(timeline["version"] == 7, "{order} has version {}", timeline["version"]);
    let mut timeline: Value =
        serde_json::from_str(&timeline.to_string().replace(&order, "MIX")).context("JSON")?;
    plain(&mut timeline);
    Ok(timeline)
}

/// Seven records of four systems; all of them count, and nothing about them is derived.
fn seven(order: &str, start: DateTime<Utc>) -> Vec<(&'static str, Value)> {
    let at = |hour: i64| start + TimeDelta::hours(hour);
    let iso = |hour| at(hour).to_rfc3339();
    let local = |hour| (at(hour) + TimeDelta::hours(7)).format("%d/%m/%Y %H:%M:%S").to_string();
    let tracking = format!("T-{order}");
    let work = |hour, stage, state, sequence: u32| {
        json!({"workOrderId": order, "orderNumber": order, "lineItemId": "1", "stage": stage, "state": state,
               "at": iso(hour), "sequence": sequence})
    };
    vec![
        (
            "source.shop",
            json!({"event": "order.placed", "order_no": order, "at": iso(0),
            "customer": {"id": "C-MIX"}, "items": [{"line": "1", "sku": "S", "title": "Quà", "quantity": 1}]}),
        ),
        (
            "source.payment",
            json!({"event_id": format!("p-{order}"), "type": "captured", "order_no": order,
            "amount": 1000, "currency": "VND", "occurred_at_ms": at(1).timestamp_millis()}),
        ),
        ("source.shop", json!({"event": "order.confirmed", "order_no": order, "at": iso(2)})),
        ("source.manufacturing", work(3, "PRINTING", "STARTED", 1)),
        ("source.manufacturing", work(4, "QC", "FINISHED", 2)),
        (
            "source.fulfilment",
            json!({"id": format!("f-{order}"), "order": order, "status": "HANDED_OVER", "parcel": "P1",
            "lines": [{"line": "1", "qty": 1}], "carrier": "ghn", "tracking_code": tracking, "updated": local(5)}),
        ),
        (
            "source.logistics",
            json!({"id": format!("l-{order}"), "carrier": "ghn", "tracking_number": tracking,
            "code": "delivered", "ts": at(6).timestamp()}),
        ),
    ]
}

/// All orders of `0..n`.
fn permutations(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let insert = |shorter: Vec<usize>| {
        (0..=shorter.len()).map(move |place| {
            let mut longer = shorter.clone();
            longer.insert(place, n - 1);
            longer
        })
    };
    permutations(n - 1).into_iter().flat_map(insert).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_5040_orders_of_seven() {
        let all = permutations(7);
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!((all.len(), different.len()), (5040, 5040));
    }
}
