//! `Timeline`: the state of an order, as REST body and as live snapshot.
//!
//! No name, address, phone number or e-mail address is in it.

use crate::event::{Confidence, EtaRange};
use crate::id::OrderId;
use crate::instant;
use crate::milestone::Milestone;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StepState {
    /// Passed.
    Done,
    /// Here.
    Current,
    /// Still to come.
    Ahead,
}

/// One of the seven steps that the buyer sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// `placed`, `confirmed`, `production`, `packed`, `in_transit`, `out_for_delivery`, `delivered`.
    #[schema(example = "packed")]
    pub code: String,
    /// Where it stands.
    pub state: StepState,
    /// When it was reached; absent while ahead, null when it was passed without an event.
    #[serde(default, skip_serializing_if = "StepAt::is_ahead")]
    #[schema(value_type = Option<DateTime<Utc>>, example = "2026-11-18T02:15:00Z")]
    pub at: StepAt,
}

/// The time of a step: absent while the step is ahead, null when nobody told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StepAt {
    /// Known.
    At(#[serde(serialize_with = "instant::write")] DateTime<Utc>),
    /// Passed without an event.
    Untold(()),
    /// Not reached.
    #[default]
    #[serde(skip)]
    Ahead,
}

impl StepAt {
    fn is_ahead(&self) -> bool {
        *self == Self::Ahead
    }
}

/// How many items have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// Delivered lines.
    #[schema(example = 1)]
    pub delivered: u32,
    /// All lines.
    #[schema(example = 2)]
    pub of: u32,
}

/// One line of the order, with its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Item {
    /// The shop's line number.
    #[schema(example = "1")]
    pub line: String,
    /// The shop's article number.
    #[schema(example = "MUG-11OZ")]
    pub sku: Option<String>,
    /// What the shop calls it; untrusted plain text.
    #[schema(example = "Cốc sứ in tên")]
    pub title: Option<String>,
    /// Pieces.
    #[schema(example = 2)]
    pub quantity: u32,
    /// Milestone code.
    #[schema(value_type = String, example = "shipment.in_transit")]
    pub status: Milestone,
    /// The parcel that it is in.
    #[schema(example = "P1")]
    pub shipment: Option<String>,
}

/// A parcel, with its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Shipment {
    /// The shop's name for it, else its tracking number.
    #[schema(example = "P1")]
    pub id: String,
    /// Carrier code.
    #[schema(example = "ghn")]
    pub carrier: Option<String>,
    /// The carrier's number.
    #[schema(example = "GHN8K2")]
    pub tracking_number: Option<String>,
    /// The carrier's page, for carriers that we know.
    #[schema(example = "https://donhang.ghn.vn/?order_code=GHN8K2")]
    pub tracking_url: Option<String>,
    /// Milestone code.
    #[schema(value_type = String, example = "shipment.in_transit")]
    pub status: Milestone,
    /// Lines in it.
    pub items: Vec<String>,
}

/// One line of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Entry {
    /// `source:id` of the event.
    #[schema(example = "logistics:scan-91")]
    pub id: String,
    /// When it happened.
    #[schema(example = "2026-11-20T09:40:06Z")]
    #[serde(serialize_with = "instant::write")]
    pub at: DateTime<Utc>,
    /// When it was first received.
    #[schema(example = "2026-11-20T09:40:06Z")]
    #[serde(serialize_with = "instant::write")]
    pub received_at: DateTime<Utc>,
    /// Milestone code.
    #[schema(value_type = String, example = "shipment.in_transit")]
    pub milestone: Milestone,
    /// Who says it.
    #[schema(example = "logistics")]
    pub source: String,
    /// The parcel that it is about.
    #[schema(example = "P1")]
    pub shipment: Option<String>,
    /// The line that it is about.
    #[schema(example = "1")]
    pub line: Option<String>,
    /// Where; untrusted plain text.
    #[schema(example = "Kho Củ Chi")]
    pub location: Option<String>,
    /// The source's words; untrusted plain text.
    #[schema(example = "Hàng đang trung chuyển")]
    pub note: Option<String>,
    /// Why: a short code.
    #[schema(example = "address_incomplete")]
    pub reason: Option<String>,
    /// How sure the source is.
    pub confidence: Confidence,
    /// Id of the entry that withdrew this one.
    #[schema(example = "logistics:scan-92")]
    pub corrected_by: Option<String>,
    /// The source's clock was ahead, so the entry stands at its receipt.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub clock_ahead: bool,
}

/// Who expects it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EtaSource {
    /// The carrier; also of what was said before this was noted.
    #[default]
    Carrier,
    /// The shop.
    Shop,
    /// Milepost, from the shop's own finished orders.
    Estimate,
}

/// An expected range as it once was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EtaEntry {
    /// When it was said.
    #[serde(serialize_with = "instant::write")]
    pub at: DateTime<Utc>,
    /// By whom.
    #[serde(default)]
    pub source: EtaSource,
    /// The range.
    #[serde(flatten)]
    pub range: EtaRange,
}

/// When the order is expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Eta {
    /// The range.
    #[serde(flatten)]
    pub range: EtaRange,
    /// By whom: what a carrier or the shop says counts before any estimate.
    pub source: EtaSource,
    /// All that was said, oldest first.
    pub history: Vec<EtaEntry>,
}

/// What the shop promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Promise {
    /// The last day, in the customer's zone.
    #[schema(example = "2026-11-24")]
    pub latest: NaiveDate,
}

/// The worst open problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Milestone code.
    #[schema(value_type = String, example = "shipment.attempt_failed")]
    pub code: Milestone,
    /// Since when.
    #[schema(example = "2026-11-20T09:40:06Z")]
    #[serde(serialize_with = "instant::write")]
    pub since: DateTime<Utc>,
    /// Why: a short code.
    #[schema(example = "not_at_home")]
    pub reason: Option<String>,
    /// The parcel that it is about.
    #[schema(example = "P1")]
    pub shipment: Option<String>,
    /// The line that it is about.
    #[schema(example = "1")]
    pub line: Option<String>,
}

/// The state of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Timeline {
    /// The order.
    #[schema(value_type = String, example = "TM-1042")]
    pub order: OrderId,
    /// Number of accepted events; only grows.
    #[schema(example = 7)]
    pub version: u64,
    /// Newest receipt among the accepted events.
    #[schema(example = "2026-11-20T09:40:06Z")]
    #[serde(serialize_with = "instant::write")]
    pub updated_at: DateTime<Utc>,
    /// The worst open problem, else the least advanced unfinished item.
    #[schema(value_type = String, example = "shipment.in_transit")]
    pub status: Milestone,
    /// How many items have arrived.
    pub progress: Progress,
    /// Nothing more is expected.
    pub terminal: bool,
    /// The seven steps.
    pub steps: Vec<Step>,
    /// The lines.
    pub items: Vec<Item>,
    /// The parcels.
    pub shipments: Vec<Shipment>,
    /// The history, oldest first.
    pub entries: Vec<Entry>,
    /// When it is expected.
    pub eta: Option<Eta>,
    /// What was promised.
    pub promise: Option<Promise>,
    /// The worst open problem.
    pub problem: Option<Problem>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_step_is_absent_ahead_and_null_when_untold() {
        let step = |at| Step { code: "packed".into(), state: StepState::Done, at };
        let json = |at| serde_json::to_string(&step(at)).unwrap();
        assert!(!json(StepAt::Ahead).contains("at\":n"));
        assert!(json(StepAt::Untold(())).ends_with(r#""at":null}"#));
        for at in [StepAt::Ahead, StepAt::Untold(()), StepAt::At(DateTime::UNIX_EPOCH)] {
            assert_eq!(serde_json::from_str::<Step>(&json(at)).unwrap(), step(at));
        }
    }
}
