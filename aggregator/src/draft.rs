//! A canonical event whose order may still be known by another name only.

use crate::day::whole_days;
use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use contract::customer::Customer;
use contract::event::{ContentType, EtaRange, EventData, OrderEvent, SpecVersion};
use contract::id::OrderId;
use contract::milestone::Milestone;
use serde::{Deserialize, Serialize};

/// Who says what is derived, not told.
pub const DERIVED_SOURCE: &str = "milepost";

/// How a source names the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderRef {
    /// By its number.
    Order(OrderId),
    /// By another name that some event reveals: `tracking:<number>`, `stripe:<payment>`.
    Alias(String),
}

/// What one record says, before its order is looked up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// Who says it.
    pub source: String,
    /// The source's id of the event.
    pub id: String,
    /// The milestone.
    pub milestone: Milestone,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// The order.
    pub order: OrderRef,
    /// It was found by its parcel's number, which may have had another life before.
    #[serde(default)]
    pub by_parcel: bool,
    /// Where nobody told the name that it calls the order by, its parcel's number will do.
    #[serde(default)]
    pub or_parcel: bool,
    /// The order's number is what somebody wrote on the parcel: whose parcel it is knows better.
    #[serde(default)]
    pub noted: bool,
    /// Other names of the order that it tells.
    #[serde(default)]
    pub reveals: Vec<String>,
    /// The customer, when the record tells of one.
    #[serde(default)]
    pub customer: Option<Customer>,
    /// When the customer was described so; the event's time when that is not told.
    #[serde(default)]
    pub customer_at: Option<DateTime<Utc>>,
    /// The rest.
    pub data: Box<EventData>,
    /// First receipt.
    pub received_at: DateTime<Utc>,
    /// W3C trace context of the record.
    pub traceparent: String,
    /// Where its record stands in the log.
    #[serde(default)]
    pub origin: Option<Origin>,
}

/// When something is expected, as its source says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// The range; of whole days, by the source's clock.
    pub range: EtaRange,
    /// The first and the last day, where no hours were told.
    days: Option<(NaiveDate, NaiveDate)>,
}

impl Expected {
    /// Whole days; none when the last is before the first.
    #[must_use]
    pub fn days(first: NaiveDate, last: NaiveDate, zone: Tz) -> Option<Self> {
        let range = whole_days(first, last, zone)?;
        Some(Self { range, days: Some((first, last)) })
    }
}

impl From<EtaRange> for Expected {
    fn from(range: EtaRange) -> Self {
        Self { range, days: None }
    }
}

/// A place in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
}

impl Draft {
    /// A draft with nothing but what every record has.
    #[must_use]
    pub fn new(
        source: &str,
        id: String,
        milestone: Milestone,
        time: DateTime<Utc>,
        order: OrderRef,
    ) -> Self {
        Self {
            source: source.to_owned(),
            id,
            milestone,
            time,
            order,
            by_parcel: false,
            or_parcel: false,
            noted: false,
            reveals: Vec::new(),
            customer: None,
            customer_at: None,
            data: Box::default(),
            received_at: time,
            traceparent: String::new(),
            origin: None,
        }
    }

    /// Says that it is about a parcel, and tells the parcel's number as another name of the order
    /// unless that is how the order is named already.
    pub fn parcel(&mut self, carrier: &str, number: Option<String>) {
        self.data.carrier = Some(carrier.to_owned());
        self.data.tracking_number = number;
        if let Some(number) = &self.data.tracking_number {
            self.reveal(tracking_alias(number));
        }
    }

    /// The same of a maker, who may have a number of its own for the order that nobody else ever tells.
    pub fn makers_parcel(&mut self, carrier: &str, number: Option<String>) {
        self.parcel(carrier, number);
        self.or_parcel = true;
    }

    /// The name of its parcel.
    #[must_use]
    pub fn parcel_name(&self) -> Option<String> {
        self.data.tracking_number.as_deref().map(tracking_alias)
    }

    /// The name of its parcel, where that stands in for a name that nobody told.
    #[must_use]
    pub fn stand_in(&self) -> Option<String> {
        let OrderRef::Alias(alias) = &self.order else { return None };
        if self.or_parcel { self.parcel_name().filter(|name| name != alias) } else { None }
    }

    /// The name of its parcel, where that knows better than the order's number: a carrier wants a reference of its own
    /// for each parcel, and who follows parcels has what somebody noted.
    #[must_use]
    pub fn surer_parcel(&self) -> Option<String> {
        let doubtful = self.noted || self.data.carrier.as_deref() == Some(self.source.as_str());
        let is_number = matches!(self.order, OrderRef::Order(_));
        if doubtful && is_number { self.parcel_name() } else { None }
    }

    /// Says when it is expected.
    pub fn expect(&mut self, expected: Option<Expected>) {
        self.data.eta = expected.map(|expected| expected.range);
        self.data.days = expected.and_then(|expected| expected.days);
    }

    /// Tells another name of the order.
    pub fn reveal(&mut self, alias: String) {
        if self.order != OrderRef::Alias(alias.clone()) && !self.reveals.contains(&alias) {
            self.reveals.push(alias);
        }
    }

    /// What it calls its order by: its number, or another name.
    #[must_use]
    pub fn named(&self) -> &str {
        match &self.order {
            OrderRef::Order(order) => order.as_str(),
            OrderRef::Alias(alias) => alias,
        }
    }

    /// The key that makes it the same event again.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}:{}", self.source, self.id)
    }

    /// The event, now that its order is known.
    #[must_use]
    pub fn into_event(mut self, order: OrderId) -> OrderEvent {
        // The fold counts days by it: what the customer is called stays beside the event.
        let zone = self.customer.and_then(|customer| customer.time_zone);
        self.data.time_zone = zone.or(self.data.time_zone);
        OrderEvent {
            specversion: SpecVersion::Only,
            id: self.id,
            source: self.source,
            milestone: self.milestone,
            time: self.time,
            subject: order.clone(),
            partitionkey: order,
            traceparent: Some(self.traceparent),
            datacontenttype: ContentType::Only,
            receivedat: self.received_at,
            data: self.data,
        }
    }
}

/// How the alias of a parcel begins.
pub const TRACKING: &str = "tracking:";

/// The alias of a parcel. People and programs write one number in several ways.
#[must_use]
pub fn tracking_alias(number: &str) -> String {
    let plain: String = number.chars().filter(|c| !c.is_whitespace()).collect();
    format!("{TRACKING}{}", plain.to_uppercase())
}
