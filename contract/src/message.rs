//! What goes through Kafka and Redis between the services.

use crate::customer::Customer;
use crate::event::OrderEvent;
use crate::milestone::Milestone;
use crate::timeline::Timeline;
use chrono::{DateTime, Utc};
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fmt;

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

/// What is known of a publication before its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head<'a> {
    /// The shard's sequence number.
    pub seq: u64,
    /// The live channel.
    pub channel: &'a str,
    /// When it was published, in Unix milliseconds.
    pub at_ms: i64,
}

impl<'a> Head<'a> {
    /// Reads a message as far as its state, which the script that publishes writes last: of what a
    /// reader of the bus hears, most is for viewers of others. None when it looks different; then
    /// it is to be read whole.
    #[must_use]
    pub fn read(message: &'a [u8]) -> Option<Self> {
        let mut found = None;
        // It ends with an error wherever the state is left unread.
        let mut reader = serde_json::Deserializer::from_slice(message);
        let _ = reader.deserialize_map(BeforeState(&mut found));
        found
    }
}

/// Reads a publication's keys until its state.
struct BeforeState<'f, 'a>(&'f mut Option<Head<'a>>);

impl<'a> Visitor<'a> for BeforeState<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a publication")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut seq, mut channel, mut at_ms) = (None, None, None);
        while let Some(key) = map.next_key::<&str>()? {
            match key {
                "seq" => seq = Some(map.next_value()?),
                "channel" => channel = Some(map.next_value()?),
                "at_ms" => at_ms = Some(map.next_value()?),
                "data" => break,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        if let (Some(seq), Some(channel), Some(at_ms)) = (seq, channel, at_ms) {
            *self.0 = Some(Head { seq, channel, at_ms });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = r#"{"seq":9,"channel":"order:T-1","version":8,"at_ms":5,"traceparent":"x","data":{"a":[1,2]}}"#;

    #[test]
    fn a_head_is_read_without_the_state_behind_it() {
        let head = Some(Head { seq: 9, channel: "order:T-1", at_ms: 5 });
        assert_eq!(Head::read(SAID.as_bytes()), head);
        let (before, _) = SAID.split_once("{\"a\"").unwrap();
        assert_eq!(Head::read(before.as_bytes()), head, "the state is not looked at");
    }

    #[test]
    fn what_looks_different_is_to_be_read_whole() {
        for other in [
            "",
            "[]",
            "{}",
            "7",
            r#"{"data":{},"seq":9,"channel":"order:T-1","at_ms":5}"#,
            r#"{"seq":"9","channel":"order:T-1","at_ms":5,"data":{}}"#,
            r#"{"seq":9,"channel":"order:T-1","#,
        ] {
            assert_eq!(Head::read(other.as_bytes()), None, "{other}");
        }
    }
}
