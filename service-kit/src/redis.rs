//! Redis: one server, or a cluster where several addresses are given.
//!
//! Whoever asks need not know which, but says what it is about: a key's commands go to the node that
//! has it ([`Redis::at`]), those for many shards through [`Redis::by_shard`], and what is published to
//! the shard's own node ([`Redis::publish_command`]).

mod slots;
mod heard;
mod reply;
mod listener;
mod cluster;
mod sharded;
mod subscription;

pub use cluster::Cluster;
pub use heard::Heard;
pub use subscription::Subscription;

use cluster::in_one_go;
use contract::name::{self, Shard};
use redis::aio::{ConnectionLike, ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, Pipeline, RedisError, RedisFuture, Script, Value};
use std::time::Duration;

/// How long a connection and every answer is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// The way to Redis; reconnects by itself, cheap to clone.
#[derive(Clone)]
pub enum Redis {
    /// One server.
    One(ConnectionManager),
    /// All nodes of a cluster.
    Cluster(Cluster),
}

/// Connects when first asked; every answer is waited for at most 2 s.
///
/// # Errors
/// When a URL is no Redis URL, or there is none.
pub fn connect(urls: &[String]) -> Result<Redis, RedisError> {
    match urls {
        [url] => {
            let config = ConnectionManagerConfig::new()
                .set_response_timeout(Some(PATIENCE))
                .set_connection_timeout(Some(PATIENCE))
                .set_max_delay(Duration::from_millis(500));
            let client = Client::open(url.as_str())?;
            Ok(Redis::One(ConnectionManager::new_lazy_with_config(client, config)?))
        }
        urls => Cluster::new(urls).map(Redis::Cluster),
    }
}

impl Redis {
    /// The command that publishes on a shard's channel: in a cluster on the shard's own nodes only.
    #[must_use]
    pub const fn publish_command(&self) -> &'static str {
        match self {
            Self::One(_) => "PUBLISH",
            Self::Cluster(_) => "SPUBLISH",
        }
    }

    /// The connection to whoever has a key.
    ///
    /// # Errors
    /// When no node of a cluster tells who that is.
    pub async fn at(&self, key: &str) -> Result<Node, RedisError> {
        match self {
            Self::One(manager) => Ok(Node { manager: manager.clone(), cluster: None }),
            Self::Cluster(cluster) => {
                let manager = cluster.at(name::slot(key)).await?;
                Ok(Node { manager, cluster: Some(cluster.clone()) })
            }
        }
    }

    /// Runs commands, each for keys of its shard: those of one shard in order, in one go for each
    /// server. Their answers, in the order of the commands; where a node is away, its error for each
    /// of them.
    pub async fn by_shard(&self, commands: Vec<(Shard, Cmd)>) -> Vec<Result<Value, RedisError>> {
        match self {
            Self::One(manager) => {
                let commands = commands.into_iter().map(|(_, command)| command);
                in_one_go(manager.clone(), commands).await
            }
            Self::Cluster(cluster) => cluster.by_shard(commands).await,
        }
    }

    /// Has every server know a script; a node that is away learns it when it is needed.
    ///
    /// # Errors
    /// When the one server, or all nodes, do not take it.
    pub async fn load(&self, script: &Script) -> Result<(), RedisError> {
        match self {
            Self::One(manager) => {
                script.prepare_invoke().load_async(&mut manager.clone()).await.map(drop)
            }
            Self::Cluster(cluster) => cluster.load(script).await,
        }
    }
}

/// The connection to the server that has a key, for a few commands: slots may move.
pub struct Node {
    manager: ConnectionManager,
    cluster: Option<Cluster>,
}

impl Node {
    /// Down here what a server refuses is still a value among others.
    fn note(&self, result: &Result<Vec<Value>, RedisError>) {
        let Some(cluster) = &self.cluster else {
            return;
        };
        cluster.note(result);
        for value in result.iter().flatten() {
            if let Value::ServerError(error) = value {
                cluster.note::<()>(&Err(error.clone().into()));
            }
        }
    }
}

impl ConnectionLike for Node {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let answer = self.manager.req_packed_command(command).await.map(|value| vec![value]);
            self.note(&answer);
            answer.map(|mut values| values.pop().unwrap_or(Value::Nil))
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let answers = self.manager.req_packed_commands(pipeline, offset, count).await;
            self.note(&answers);
            answers
        })
    }

    fn get_db(&self) -> i64 {
        self.manager.get_db()
    }
}
