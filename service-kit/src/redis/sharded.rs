//! Sharded publications (`SSUBSCRIBE`): each shard is subscribed to at the node that has its slot, and
//! again when the slot moves or the node comes back.

use super::cluster::{Cluster, NODE_PATIENCE};
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
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;

/// Publications that wait for their reader. What does not fit is dropped, and missed by its number.
const BUFFER: usize = 65_536;

/// How long an opening waits for all shards.
const OPEN: Duration = Duration::from_secs(2);

/// Which of our connections, since we began to count.
type Number = u64;

/// The subscription to all shards.
pub(super) struct Sharded {
    wires: Arc<Wires>,
    said: mpsc::Receiver<Msg>,
    told: mpsc::UnboundedReceiver<(Number, PushInfo)>,
    /// Shards that are heard again, still to be handed on.
    ready: VecDeque<Shard>,
    /// The connection that hears a shard, as the server has confirmed.
    heard_by: HashMap<Shard, Number>,
    /// The shards that nobody hears, each tried until somebody does.
    joining: FuturesUnordered<BoxFuture<'static, (Shard, Number)>>,
}

/// What comes from one of the nodes.
pub(super) enum Next {
    /// A message.
    Said(Msg),
    /// The shard is heard again.
    Renewed(Shard),
}

/// A connection to each node.
struct Wires {
    cluster: Cluster,
    said: mpsc::Sender<Msg>,
    /// Confirmations and ends: few, and none may be lost.
    told: mpsc::UnboundedSender<(Number, PushInfo)>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    connections: HashMap<Address, (Number, MultiplexedConnection)>,
    /// One connects, the others wait for that; each address by itself.
    connecting: HashMap<Address, Arc<tokio::sync::Mutex<()>>>,
    last: Number,
}

impl Sharded {
    /// Subscribes. Shards whose node does not answer soon follow as soon as it does.
    pub(super) async fn open(urls: &[String]) -> Result<Self, RedisError> {
        let (said, hearing) = mpsc::channel(BUFFER);
        let (told, telling) = mpsc::unbounded_channel();
        let cluster = Cluster::new(urls)?;
        cluster.read_slots().await?;
        let wires = Arc::new(Wires { cluster, said, told, open: Mutex::default() });
        let joining = Shard::all().map(|shard| join(wires.clone(), shard, 0)).collect();
        let (heard_by, ready) = (HashMap::new(), VecDeque::new());
        let mut sharded = Self { wires, said: hearing, told: telling, ready, heard_by, joining };
        let all = async {
            while let Some((shard, number)) = sharded.joining.next().await {
                sharded.joined(shard, number);
            }
        };
        let _ = tokio::time::timeout(OPEN, all).await;
        // Whoever opens a subscription reads everything anew.
        sharded.ready.clear();
        Ok(sharded)
    }

    /// What is heard next.
    pub(super) async fn next(&mut self) -> Option<Next> {
        loop {
            if let Some(shard) = self.ready.pop_front() {
                return Some(Next::Renewed(shard));
            }
            tokio::select! {
                message = self.said.recv() => return message.map(Next::Said),
                told = self.told.recv() => self.take(told?),
                Some((shard, number)) = self.joining.next() => self.joined(shard, number),
            }
        }
    }

    fn take(&mut self, (number, push): (Number, PushInfo)) {
        match push.kind {
            PushKind::Disconnection => {
                self.wires.forget(number);
                self.wires.cluster.read_again();
                Shard::all().for_each(|shard| self.left(shard, number));
            }
            PushKind::SSubscribe => {
                if let Some(shard) = shard(&push) {
                    self.heard_by.insert(shard, number);
                    self.ready.push_back(shard);
                }
            }
            // The slot went to another node, and the subscription did not go with it.
            PushKind::SUnsubscribe => {
                self.wires.cluster.read_again();
                if let Some(shard) = shard(&push) {
                    self.left(shard, number);
                }
            }
            _ => {}
        }
    }

    /// A shard is not heard by this connection any more.
    fn left(&mut self, shard: Shard, number: Number) {
        if self.heard_by.get(&shard) == Some(&number) {
            self.heard_by.remove(&shard);
            self.joining.push(join(self.wires.clone(), shard, 0));
        }
    }

    /// A subscription was answered. Whether with what was asked, only the confirmation tells, which came
    /// before: the library counts answers, and takes the end of another subscription for one.
    fn joined(&mut self, shard: Shard, number: Number) {
        while let Ok(told) = self.told.try_recv() {
            self.take(told);
        }
        if self.heard_by.get(&shard) != Some(&number) {
            self.joining.push(join(self.wires.clone(), shard, 1));
        }
    }
}

/// The shard that a confirmation is about.
fn shard(push: &PushInfo) -> Option<Shard> {
    let name: String = from_redis_value_ref(push.data.first()?).ok()?;
    Shard::from_pubsub(&name)
}

fn join(wires: Arc<Wires>, shard: Shard, attempt: u32) -> BoxFuture<'static, (Shard, Number)> {
    let (base, cap) = (Duration::from_millis(50), Duration::from_secs(1));
    let mut attempt = attempt;
    Box::pin(async move {
        loop {
            if attempt > 0 {
                tokio::time::sleep(backoff::delay(attempt, base, cap)).await;
            }
            match wires.subscribe(shard).await {
                Ok(number) => return (shard, number),
                Err(error) if attempt == 0 => {
                    tracing::warn!(shard = shard.number(), %error, "a shard is not subscribed to");
                }
                Err(_) => {}
            }
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
        if subscribed.as_ref().is_err_and(RedisError::is_io_error) {
            self.forget(number);
        }
        subscribed.map(|()| number)
    }

    async fn connection(
        &self,
        address: &Address,
    ) -> Result<(Number, MultiplexedConnection), RedisError> {
        let connecting = self.open().connecting.entry(address.clone()).or_default().clone();
        let _one = connecting.lock().await;
        if let Some(known) = self.open().connections.get(address) {
            return Ok(known.clone());
        }
        let number = {
            let mut open = self.open();
            open.last += 1;
            open.last
        };
        let (said, told) = (self.said.clone(), self.told.clone());
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(NODE_PATIENCE))
            .set_response_timeout(Some(NODE_PATIENCE))
            .set_push_sender(move |push: PushInfo| -> Result<(), ()> {
                if push.kind != PushKind::SMessage {
                    return told.send((number, push)).map_err(|_| ());
                }
                Msg::from_push_info(push).map_or(Ok(()), |msg| said.try_send(msg).map_err(|_| ()))
            });
        let client = self.cluster.client(address, ProtocolVersion::RESP3)?;
        let connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        self.open().connections.insert(address.clone(), (number, connection.clone()));
        Ok((number, connection))
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, number: Number) {
        self.open().connections.retain(|_, (known, _)| *known != number);
    }
}
