//! Everything that is published on the live bus.

use super::heard::Heard;
use super::listener::Listener;
use super::sharded::{Next, Sharded};
use redis::{Msg, RedisError};
use std::io::{Error, ErrorKind};
use std::time::Duration;

/// The subscription to all shards.
pub struct Subscription(Kind);

enum Kind {
    One(Box<Listener>),
    Cluster {
        sharded: Box<Sharded>,
        /// What was said last: it is lent out.
        said: Option<Msg>,
    },
}

impl Subscription {
    /// Subscribes to all shards, with a connection of its own. Of a cluster, shards whose node is away
    /// follow when it is back.
    ///
    /// # Errors
    /// When Redis does not answer within 2 s.
    pub async fn open(urls: &[String]) -> Result<Self, RedisError> {
        Ok(Self(match urls {
            [url] => Kind::One(Box::new(Listener::open(url).await?)),
            urls => Kind::Cluster { sharded: Box::new(Sharded::open(urls).await?), said: None },
        }))
    }

    /// What is heard next.
    ///
    /// # Errors
    /// When the subscription is over.
    pub async fn next(&mut self) -> Result<Heard<'_>, RedisError> {
        match &mut self.0 {
            Kind::One(listener) => listener.next().await,
            Kind::Cluster { sharded, said } => match sharded.next().await {
                Some(Next::Said(message)) => {
                    let said = said.insert(message);
                    let (channel, payload) = (said.get_channel_name(), said.get_payload_bytes());
                    Ok(Heard::Said { channel, payload })
                }
                Some(Next::Renewed(shard)) => Ok(Heard::Renewed(shard)),
                None => Err(Error::from(ErrorKind::UnexpectedEof).into()),
            },
        }
    }

    /// For who hears mostly what is for others: once all that has come in was handed on, lets things
    /// gather for a while. Not cancel-safe: dropped meanwhile, it ends the subscription.
    ///
    /// # Errors
    /// When the subscription is over.
    pub async fn rest(&mut self, pause: Duration) -> Result<(), RedisError> {
        match &mut self.0 {
            Kind::One(listener) if listener.is_drained() => listener.rest(pause).await,
            // Of a cluster, the library reads its connections by itself.
            Kind::One(_) | Kind::Cluster { .. } => Ok(()),
        }
    }
}
