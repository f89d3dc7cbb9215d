//! `OrderEvent`: one thing that happened to an order, as `CloudEvents` 1.0 JSON.

use crate::customer::Customer;
use crate::id::OrderId;
use crate::instant;
use crate::milestone::Milestone;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// How sure the source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Said by the shop itself, or signed by the vendor.
    #[default]
    Confirmed,
    /// Said by a vendor that does not sign.
    Reported,
    /// Computed.
    Predicted,
}

/// A range in which something is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EtaRange {
    /// Not before.
    #[schema(example = "2026-11-22T01:00:00Z")]
    #[serde(serialize_with = "instant::write")]
    pub earliest: DateTime<Utc>,
    /// Not after.
    #[schema(example = "2026-11-24T13:00:00Z")]
    #[serde(serialize_with = "instant::write")]
    pub latest: DateTime<Utc>,
}

/// An amount in the smallest unit of its currency (VND has none smaller than 1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Money {
    /// Amount in the smallest unit.
    pub amount: i64,
    /// ISO 4217, upper case.
    pub currency: String,
}

/// One line of the order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LineItem {
    /// The shop's line number.
    pub line: String,
    /// The shop's article number.
    #[serde(default)]
    pub sku: Option<String>,
    /// What the shop calls it; untrusted text.
    #[serde(default)]
    pub title: Option<String>,
    /// Pieces.
    #[serde(default = "one")]
    pub quantity: u32,
    /// Price of a piece, smallest unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_price: Option<i64>,
    /// Discount on the line, smallest unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<i64>,
}

const fn one() -> u32 {
    1
}

/// Which referral led to the order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Attribution {
    /// Referral code.
    #[serde(default)]
    pub code: Option<String>,
    /// Click id.
    #[serde(default)]
    pub click: Option<String>,
}

/// What the event carries beside its milestone. All of it is optional; texts are untrusted.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says something of its own about the event, and is left out when it does not hold"
)]
pub struct EventData {
    /// The shop's customer number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<String>,
    /// The amount that the event is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub money: Option<Money>,
    /// The shop's name for the parcel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipment: Option<String>,
    /// The line that a workshop event is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// How many pieces of the line it is about, where that is said: some that are called off are not all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1)]
    pub pieces: Option<u32>,
    /// Lines in the parcel.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// Articles in the parcel, by a source that does not know the lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skus: Vec<String>,
    /// The order's lines, on `order.placed`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<LineItem>,
    /// Referral.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribution: Option<Attribution>,
    /// Carrier code (`ghn`, `viettelpost`, …).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// The carrier's number for the parcel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
    /// Where it happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Country that the order goes to, ISO 3166 alpha-2, on `order.placed`; `location` is the
    /// province then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Why it happened: a short code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When the parcel is expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eta: Option<EtaRange>,
    /// The first and the last day on which it is expected, where no hours were told: days are the
    /// customer's, so `eta` (by the source's clock) is read off them anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<String>>, example = json!(["2026-11-26", "2026-11-27"]))]
    pub days: Option<(NaiveDate, NaiveDate)>,
    /// IANA name of the customer's time zone, where the source describes the customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// What the shop promised: the last day, in the customer's zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub promise: Option<NaiveDate>,
    /// The source's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// How sure the source is.
    pub confidence: Confidence,
    /// Id of an event of the same source that this one withdraws.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrects: Option<String>,
    /// How often it was said and withdrawn before: what is withdrawn leaves no entry to count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1)]
    pub withdrawn_before: Option<u16>,
    /// The source gave a local time without an offset; its zone was assumed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tz_assumed: bool,
    /// The mapping declares that this event may take its thing back to a lower rank.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub step_back: bool,
    /// The record repeats the whole state, so it may say what was said before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub restates: bool,
    /// It was brought in with orders that were under way on the first day: nobody is told.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub imported: bool,
    /// The vendor's own code, when the mapping does not know it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_code: Option<String>,
}

/// A text that is the same in every event: written, and not kept. Whoever reads an event asks for nothing else
/// (`CloudEvents` of others are read by their source).
macro_rules! constant {
    ($(#[$doc:meta])* $name:ident, $text:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
        pub enum $name {
            /// The only one.
            #[default]
            #[serde(rename = $text)]
            Only,
        }
    };
}

constant!(
    /// The version of `CloudEvents`.
    SpecVersion,
    "1.0"
);
constant!(
    /// What the data are written in.
    ContentType,
    "application/json"
);

/// One thing that happened to an order (`CloudEvents` 1.0, JSON format).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OrderEvent {
    /// Always `1.0`.
    #[schema(value_type = String)]
    pub specversion: SpecVersion,
    /// The source's id of the event, or a hash where it has none. Unique within `source`.
    pub id: String,
    /// Who says it: `shop`, `payment`, a carrier code, …
    pub source: String,
    /// The milestone.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub milestone: Milestone,
    /// When it happened, by the source's clock.
    #[serde(serialize_with = "instant::write")]
    pub time: DateTime<Utc>,
    /// The order.
    #[schema(value_type = String)]
    pub subject: OrderId,
    /// The order again, so that a log keeps its events in order.
    #[schema(value_type = String)]
    pub partitionkey: OrderId,
    /// W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// Always `application/json`.
    #[schema(value_type = String)]
    pub datacontenttype: ContentType,
    /// First receipt by the aggregator (extension attribute; `CloudEvents` names have no `_`).
    #[serde(serialize_with = "instant::write")]
    pub receivedat: DateTime<Utc>,
    // Most of an event, which goes through many hands: boxed, so that each takes little.
    /// The rest.
    pub data: Box<EventData>,
}

impl OrderEvent {
    /// The key that makes it the same event again: source and id.
    #[must_use]
    pub fn key(&self) -> String {
        [&self.source, ":", &self.id].concat()
    }

    /// Is this its key?
    #[must_use]
    pub fn has_key(&self, key: &str) -> bool {
        let id = key.strip_prefix(self.source.as_str()).and_then(|rest| rest.strip_prefix(':'));
        id == Some(self.id.as_str())
    }
}

/// What an event tells about the customer; kept beside the event, never inside it.
#[derive(Debug, Clone, PartialEq)]
pub enum CustomerNews {
    /// The order is theirs.
    Placed(Customer),
    /// Their address, number or language changed.
    Changed(Customer),
}
