//! Kafka: topics, an idempotent producer, and a consumer that reads in batches and stores its
//! offsets only when told.

mod topic;
mod place;
mod delivery;
mod producer;
mod record;
mod consumer;

pub use consumer::BatchConsumer;
pub use place::place_of;
pub use producer::{Outgoing, Producer};
pub use record::{Portion, Reached, Record};

use contract::name::MAX_MESSAGE;
use rdkafka::ClientConfig;

/// What every client of ours has in common.
fn client(brokers: &str, name: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("client.id", name)
        .set("broker.address.family", "v4")
        .set("socket.keepalive.enable", "true")
        .set("reconnect.backoff.max.ms", "1000")
        // Topics and clients carry more than is accepted, so that too much can be refused by name.
        .set("message.max.bytes", MAX_MESSAGE.to_string());
    config
}
