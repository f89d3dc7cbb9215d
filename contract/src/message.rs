//! What goes through Kafka and Redis between the services.

use crate::customer::Customer;
use crate::event::OrderEvent;
use crate::milestone::Milestone;
use crate::timeline::Timeline;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A value of the topic `order.timeline`: one for each version, in order for each order.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TimelineMessage {
    /// The event that made this version.
    pub event: OrderEvent,
    /// The state after it.
    pub timeline: Timeline,
    /// The status before it; null for the first version.
    #[schema(value_type = Option<String>)]
    pub previous_status: Option<Milestone>,
    /// Who is told. Kafka only, never Redis.
    pub customer: Customer,
    /// When the event was accepted: deadlines of what is told count from here.
    pub accepted_at: DateTime<Utc>,
}

/// A message on a shard's Redis channel: the whole state of one live channel.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct Publication<'a> {
    /// The shard's sequence number, without gaps.
    pub seq: u64,
    /// The live channel.
    pub channel: &'a str,
    /// Version of the state.
    pub version: u64,
    /// When it was published, in Unix milliseconds.
    pub at_ms: i64,
    /// W3C trace context.
    #[serde(default)]
    pub traceparent: Option<&'a str>,
    /// The state, passed on as it is.
    #[serde(borrow)]
    #[schema(value_type = Object)]
    pub data: &'a RawValue,
}
