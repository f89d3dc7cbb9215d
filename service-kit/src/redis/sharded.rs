//! Sharded publications (`SSUBSCRIBE`): each shard is subscribed to at the node that has its slot, and
//! again when the slot moves or the node comes back.

use super::cluster::{Cluster, NODE_PATIENCE};
use super::heard::Heard;
use super::slots::Address;
use crate::backoff;
use contract::name::Shard;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Msg, ProtocolVersion, PushInfo, PushKind, RedisError, cmd,
    from_redis_value_ref,
};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;

/// Publications that wait for their reader. What does not fit is dropped, and missed by its number.
const BUFFER: usize = 65_536;

/// Which of our connections, since we began to count.
type Number = u64;

/// The subscription to all shards.
pub(super) struct Sharded {
    wires: Arc<Wires>,
    pushes: mpsc::Receiver<(Number, PushInfo)>,
    /// The connection that hears a shard.
    heard_by: HashMap<Shard, Number>,
    /// The shards that nobody hears, each tried until somebody does.
    joining: FuturesUnordered<BoxFuture<'static, (Shard, Number)>>,
}

/// A connection to each node.
struct Wires {
    cluster: Cluster,
    sender: mpsc::Sender<(Number, PushInfo)>,
    open: Mutex<Open>,
    /// One connects, the others wait for that; never taken by who polls them.
    connecting: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Open {
    connections: HashMap<Address, (Number, MultiplexedConnection)>,
    last: Number,
}

impl Sharded {
    /// Subscribes. Shards whose node does not answer soon follow as soon as it does.
    pub(super) async fn open(urls: &[String]) -> Result<Self, RedisError> {
        let (sender, pushes) = mpsc::channel(BUFFER);
        let cluster = Cluster::new(urls)?;
        cluster.owner(0).await?;
        let wires = Arc::new(Wires {
            cluster,
            sender,
            open: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
        });
        let joining = Shard::all().map(|shard| join(wires.clone(), shard)).collect();
        let mut sharded = Self { wires, pushes, heard_by: HashMap::new(), joining };
        let all = async {
            while let Some((shard, number)) = sharded.joining.next().await {
                sharded.joined(shard, number);
            }
        };
        let _ = tokio::time::timeout(2 * NODE_PATIENCE, all).await;
        Ok(sharded)
    }

    /// What is heard next.
    pub(super) async fn next(&mut self) -> Option<Heard> {
        loop {
            let heard = tokio::select! {
                push = self.pushes.recv() => self.take(push?),
                Some((shard, number)) = self.joining.next() => self.joined(shard, number),
            };
            if heard.is_some() {
                return heard;
            }
        }
    }

    fn take(&mut self, (number, push): (Number, PushInfo)) -> Option<Heard> {
        match push.kind {
            PushKind::SMessage => return Msg::from_push_info(push).map(Heard::Said),
            PushKind::Disconnection => {
                self.wires.forget(number);
                for shard in Shard::all() {
                    self.left(shard, number);
                }
            }
            // The slot went to another node, and the subscription did not go with it.
            PushKind::SUnsubscribe => {
                self.wires.cluster.read_again();
                let name = push.data.first().map(from_redis_value_ref::<String>);
                if let Some(shard) = name.and_then(Result::ok).and_then(|n| Shard::from_pubsub(&n))
                {
                    self.left(shard, number);
                }
            }
            _ => {}
        }
        None
    }

    /// A shard is not heard by this connection any more.
    fn left(&mut self, shard: Shard, number: Number) {
        if self.heard_by.get(&shard) == Some(&number) {
            self.heard_by.remove(&shard);
            self.joining.push(join(self.wires.clone(), shard));
        }
    }

    /// A shard is heard, if the connection has not ended since.
    fn joined(&mut self, shard: Shard, number: Number) -> Option<Heard> {
        if !self.wires.has(number) {
            self.joining.push(join(self.wires.clone(), shard));
            return None;
        }
        self.heard_by.insert(shard, number);
        Some(Heard::Renewed(shard))
    }
}

fn join(wires: Arc<Wires>, shard: Shard) -> BoxFuture<'static, (Shard, Number)> {
    let (base, cap) = (Duration::from_millis(50), Duration::from_secs(1));
    Box::pin(async move {
        let mut attempt = 0;
        loop {
            match wires.subscribe(shard).await {
                Ok(number) => return (shard, number),
                Err(error) if attempt == 0 => {
                    tracing::warn!(shard = shard.number(), %error, "a shard is not subscribed to");
                }
                Err(_) => {}
            }
            tokio::time::sleep(backoff::delay(attempt, base, cap)).await;
            attempt += 1;
        }
    })
}

impl Wires {
    async fn subscribe(&self, shard: Shard) -> Result<Number, RedisError> {
        let owner = self.cluster.owner(shard.slot()).await?;
        let connection = self.connection(&owner).await;
        self.cluster.note(&connection);
        let (number, mut connection) = connection?;
        let subscribed = cmd("SSUBSCRIBE").arg(shard.pubsub()).exec_async(&mut connection).await;
        self.cluster.note(&subscribed);
        subscribed.map(|()| number)
    }

    async fn connection(
        &self,
        address: &Address,
    ) -> Result<(Number, MultiplexedConnection), RedisError> {
        let _one = self.connecting.lock().await;
        if let Some(known) = self.open().connections.get(address) {
            return Ok(known.clone());
        }
        let number = self.open().last + 1;
        let sender = self.sender.clone();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(NODE_PATIENCE))
            .set_response_timeout(Some(NODE_PATIENCE))
            .set_push_sender(move |push| sender.try_send((number, push)));
        let client = self.cluster.client(address, ProtocolVersion::RESP3)?;
        let connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        let mut open = self.open();
        open.last = number;
        open.connections.insert(address.clone(), (number, connection.clone()));
        Ok((number, connection))
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, number: Number) {
        self.open().connections.retain(|_, (known, _)| *known != number);
    }

    fn has(&self, number: Number) -> bool {
        self.open().connections.values().any(|(known, _)| *known == number)
    }
}
