//! Every Kafka topic, live channel and Redis key. A name is written here and nowhere else.

use crate::id::{CustomerId, OrderId};
use std::fmt;
use std::str::FromStr;

/// Longest value that topics and clients carry, in bytes; larger than what is accepted
/// ([`MAX_RECORD`]), so that a record that is too long can be refused by name.
pub const MAX_MESSAGE: usize = 4 * 1024 * 1024;
/// Longest source record that is accepted, in bytes.
pub const MAX_RECORD: usize = 1024 * 1024;
/// Prefix of the topics that sources write to.
pub const SOURCE_PREFIX: &str = "source.";
/// Refused records, untouched, with the reason in headers.
pub const TOPIC_DEAD_LETTER: &str = "source.dead-letter";
/// Accepted canonical events.
pub const TOPIC_ORDER_EVENTS: &str = "order.events";
/// One message for each version of each timeline.
pub const TOPIC_ORDER_TIMELINE: &str = "order.timeline";
/// Kafka header of records that were brought in on the first day: nobody is told of them.
pub const IMPORTED: &str = "imported";
/// Kafka header and Redis field of the W3C trace context.
pub const TRACEPARENT: &str = "traceparent";
/// Number of live shards. Fixed: it is part of the keys.
pub const SHARDS: u16 = 64;

/// Slots of a Redis Cluster.
pub const SLOTS: u16 = 16_384;

/// The topic of a source.
#[must_use]
pub fn source_topic(source: &str) -> String {
    format!("{SOURCE_PREFIX}{source}")
}

/// A live channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Channel {
    /// The timeline of an order.
    Order(OrderId),
    /// The feed of a customer.
    Inbox(CustomerId),
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Order(order) => write!(f, "order:{order}"),
            Self::Inbox(customer) => write!(f, "inbox:{customer}"),
        }
    }
}

/// The text is no channel name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a channel is order:<id> or inbox:<customer>")]
pub struct UnknownChannel;

impl FromStr for Channel {
    type Err = UnknownChannel;
    fn from_str(text: &str) -> Result<Self, UnknownChannel> {
        match text.split_once(':') {
            Some(("order", id)) => id.parse().map(Self::Order).map_err(|_| UnknownChannel),
            Some(("inbox", id)) => id.parse().map(Self::Inbox).map_err(|_| UnknownChannel),
            _ => Err(UnknownChannel),
        }
    }
}

/// One of the [`SHARDS`] parts of the live traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shard(u16);

impl Shard {
    /// The shard of a channel name: CRC16 (XMODEM, as Redis Cluster uses) mod 64.
    #[must_use]
    pub fn of(channel: &str) -> Self {
        Self(crc16_xmodem(channel.as_bytes()) % SHARDS)
    }

    /// All shards.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..SHARDS).map(Self)
    }

    /// The number, 0 to 63.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The Redis Cluster slot of all its keys and of its pub/sub channel.
    #[must_use]
    pub fn slot(self) -> u16 {
        slot(&self.pubsub())
    }

    /// The Redis pub/sub channel. Literal braces keep a shard in one Redis Cluster slot.
    #[must_use]
    pub fn pubsub(self) -> String {
        format!("live:{{{:02}}}", self.0)
    }

    /// The key of the sequence number.
    #[must_use]
    pub fn sequence_key(self) -> String {
        format!("live:{{{:02}}}:seq", self.0)
    }

    /// The key of a channel's newest state.
    #[must_use]
    pub fn state_key(self, channel: &str) -> String {
        format!("live:{{{:02}}}:state:{channel}", self.0)
    }

    /// Reads the shard back from its pub/sub channel.
    #[must_use]
    pub fn from_pubsub(name: &str) -> Option<Self> {
        let number = name.strip_prefix("live:{")?.strip_suffix('}')?.parse().ok()?;
        (number < SHARDS).then_some(Self(number))
    }
}

/// The Redis Cluster slot of a key: by what stands in its first braces, if that is anything.
#[must_use]
pub fn slot(key: &str) -> u16 {
    let braced = key.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    let tag = braced.map(|(tag, _)| tag).filter(|tag| !tag.is_empty());
    crc16_xmodem(tag.unwrap_or(key).as_bytes()) % SLOTS
}

/// CRC-16/XMODEM: polynomial 0x1021, initial value 0, no reflection.
fn crc16_xmodem(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_matches_the_published_check_value() {
        assert_eq!(crc16_xmodem(b"123456789"), 0x31C3);
    }

    #[test]
    fn a_shard_has_one_slot() {
        assert_eq!(slot("somekey"), 11_058);
        assert_eq!(slot("foo{hash_tag}"), 2_515);
        assert_eq!(slot("{}x"), crc16_xmodem(b"{}x") % SLOTS);
        let shard = Shard(7);
        assert_eq!(shard.slot(), slot(&shard.state_key("order:{A}")));
        assert_eq!(shard.slot(), slot(&shard.sequence_key()));
    }

    #[test]
    fn keys_are_as_the_interface_writes_them() {
        let shard = Shard(7);
        assert_eq!(shard.state_key("order:A"), "live:{07}:state:order:A");
        assert_eq!(shard.sequence_key(), "live:{07}:seq");
        assert_eq!(Shard::from_pubsub(&shard.pubsub()), Some(shard));
        assert_eq!(Shard::from_pubsub("live:{64}"), None);
    }

    #[test]
    fn only_the_two_kinds_of_channel_are_read() {
        for name in ["order:TM-1042", "inbox:C-77"] {
            assert_eq!(name.parse::<Channel>().unwrap().to_string(), name);
        }
        for bad in ["order:", "orders:1", "order:a b", "inbox", ""] {
            assert!(bad.parse::<Channel>().is_err(), "{bad}");
        }
    }
}
