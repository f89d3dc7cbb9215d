//! Everything that is published on the live bus.

use super::PATIENCE;
use super::heard::Heard;
use super::sharded::Sharded;
use contract::name::Shard;
use futures_util::StreamExt;
use redis::aio::PubSubStream;
use redis::{Client, RedisError};
use std::io::{Error, ErrorKind};

/// The subscription to all shards.
pub struct Subscription(Kind);

enum Kind {
    One(PubSubStream),
    Cluster(Box<Sharded>),
}

impl Subscription {
    /// Subscribes to all shards, with a connection of its own. Of a cluster, shards whose node is away
    /// follow when it is back.
    ///
    /// # Errors
    /// When Redis does not answer within 2 s.
    pub async fn open(urls: &[String]) -> Result<Self, RedisError> {
        Ok(Self(match urls {
            [url] => Kind::One(one(url).await?),
            urls => Kind::Cluster(Box::new(Sharded::open(urls).await?)),
        }))
    }

    /// What is heard next; none when the subscription is over.
    pub async fn next(&mut self) -> Option<Heard> {
        match &mut self.0 {
            Kind::One(messages) => messages.next().await.map(Heard::Said),
            Kind::Cluster(sharded) => sharded.next().await,
        }
    }
}

async fn one(url: &str) -> Result<PubSubStream, RedisError> {
    let client = Client::open(url)?;
    let connect = tokio::time::timeout(PATIENCE, client.get_async_pubsub());
    let mut pubsub = connect.await.map_err(|_| Error::from(ErrorKind::TimedOut))??;
    let names: Vec<String> = Shard::all().map(Shard::pubsub).collect();
    pubsub.subscribe(&names).await?;
    Ok(pubsub.into_on_message())
}
