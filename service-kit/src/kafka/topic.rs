//! Topics exist before anything subscribes to them.

use super::client;
use contract::name::MAX_MESSAGE;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::time::Duration;

/// Creates the topics that do not exist yet; those that do are left as they are.
///
/// # Errors
/// When Kafka is away or refuses a topic.
pub(super) async fn ensure_topics(
    brokers: &str,
    names: &[String],
    partitions: i32,
    replication: i32,
) -> Result<(), KafkaError> {
    let admin: AdminClient<DefaultClientContext> = client(brokers, "milepost-admin").create()?;
    let size = MAX_MESSAGE.to_string();
    let topic = |name| {
        NewTopic::new(name, partitions, TopicReplication::Fixed(replication))
            .set("max.message.bytes", &size)
    };
    let topics: Vec<NewTopic<'_>> = names.iter().map(|name| topic(name)).collect();
    let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(10)));
    for result in admin.create_topics(&topics, &options).await? {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(KafkaError::AdminOp(code)),
        }
    }
    Ok(())
}
