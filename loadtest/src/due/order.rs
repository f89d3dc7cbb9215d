//! The orders of the play: with the carrier, and expected soon.

use chrono::{DateTime, TimeDelta, Utc};
use devstack::manifest::ManifestFile;
use serde_json::{Value, json};
use service_kit::clock;
use service_kit::kafka::{Outgoing, Producer};

/// One in so many is with a carrier that has to be asked.
const ASKED: usize = 50;
/// One in so many is expected to be there before anybody works again.
const OVER: usize = 3;

/// What becomes of the announcement.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is still true when it is said.
    ComesTomorrow,
    /// The day is over before anybody can say it.
    DayIsOver,
}

pub(super) struct Order {
    pub(super) id: String,
    pub(super) fate: Fate,
    number: usize,
}

impl Order {
    pub(super) fn new(number: usize) -> Self {
        let fate = if number % OVER == 1 { Fate::DayIsOver } else { Fate::ComesTomorrow };
        Self { id: format!("DUE-{number}"), fate, number }
    }

    /// Is it with the carrier that calls nobody?
    pub(super) const fn asked(&self) -> bool {
        self.number.is_multiple_of(ASKED)
    }

    fn parcel(&self) -> String {
        format!("DUEP{}", self.number)
    }

    fn carrier(&self) -> &'static str {
        if self.asked() { "heron" } else { "ghn" }
    }

    /// Ordered, packed, and expected in the next hours.
    fn records(&self, now: DateTime<Utc>) -> [Outgoing; 3] {
        let at = now - TimeDelta::hours(3);
        let placed = json!({"event": "order.placed", "order_no": self.id, "at": at.to_rfc3339(),
            "customer": {"id": format!("C-{}", self.id)}, "items": [{"line": "1", "sku": "MUG", "quantity": 1}]});
        let local = (at + TimeDelta::hours(8)).format("%d/%m/%Y %H:%M:%S").to_string();
        let label = json!({"id": format!("F-{}", self.id), "order": self.id, "status": "LABEL_CREATED",
            "parcel": "P1", "lines": [{"line": "1", "qty": 1}], "carrier": self.carrier(),
            "tracking_code": self.parcel(), "updated": local});
        let (earliest, latest) = match self.fate {
            Fate::ComesTomorrow => (now + TimeDelta::hours(6), now + TimeDelta::hours(10)),
            Fate::DayIsOver => (now - TimeDelta::hours(4), now + TimeDelta::seconds(5)),
        };
        let eta = json!({"id": format!("E-{}", self.id), "carrier": self.carrier(), "tracking_number": self.parcel(),
            "code": "eta_revised", "ts": now.timestamp(), "order_ref": self.id,
            "eta": {"earliest": earliest.to_rfc3339(), "latest": latest.to_rfc3339()}});
        let record = |topic, value: Value| Outgoing::new(topic, "", value.to_string());
        [
            record("source.shop", placed),
            record("source.fulfilment", label),
            record("source.logistics", eta),
        ]
    }
}

/// Writes the orders; the carrier that is asked has seen none of its parcels yet.
pub(super) async fn place(
    manifest: &ManifestFile,
    producer: &Producer,
    orders: &[Order],
) -> anyhow::Result<()> {
    for order in orders.iter().filter(|order| order.asked()) {
        knows(manifest, order, &json!([])).await?;
    }
    for chunk in orders.chunks(500) {
        let records: Vec<Outgoing> =
            chunk.iter().flat_map(|order| order.records(clock::now())).collect();
        producer.send(&records).await?;
    }
    Ok(())
}

/// From now on the carrier knows that its parcels are there.
pub(super) async fn arrive(manifest: &ManifestFile, orders: &[Order]) -> anyhow::Result<()> {
    for order in orders.iter().filter(|order| order.asked()) {
        let done =
            json!([{"parcel": order.parcel(), "what": "DONE", "when": clock::now().to_rfc3339()}]);
        knows(manifest, order, &done).await?;
    }
    Ok(())
}

async fn knows(manifest: &ManifestFile, order: &Order, scans: &Value) -> anyhow::Result<()> {
    let url = format!("{}/vendors/heron/{}", manifest.get().fakes, order.parcel());
    let client = reqwest::Client::builder().no_proxy().build()?;
    client.put(url).json(&json!({"scans": scans})).send().await?.error_for_status()?;
    Ok(())
}
