//! A cluster: a connection to each of its nodes, and who has which slot.
//!
//! Above the library's connections to single servers, not its own cluster client: that one reads the
//! slots anew with all commands held up, and does so for ever when a node dies at the wrong moment.

use super::slots::{Address, Slots};
use contract::name::Shard;
use futures_util::future::join_all;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{
    Client, Cmd, ConnectionInfo, ErrorKind, IntoConnectionInfo, Pipeline, ProtocolVersion,
    RedisError, Script, Value, cmd,
};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long one node is waited for, to connect and to answer: the others wait with those who ask it.
pub(super) const NODE_PATIENCE: Duration = Duration::from_millis(400);

/// The cluster; cheap to clone.
#[derive(Clone)]
pub struct Cluster(Arc<Inner>);

struct Inner {
    seeds: Vec<Address>,
    /// Credentials, which hold for all nodes.
    template: ConnectionInfo,
    slots: Mutex<Slots>,
    managers: Mutex<HashMap<Address, ConnectionManager>>,
    /// Somebody was told that it is otherwise, or was not answered.
    stale: AtomicBool,
    /// One reads the slots, the others wait for that.
    reading: tokio::sync::Mutex<()>,
}

impl Cluster {
    /// A cluster by some of its nodes.
    pub(super) fn new(urls: &[String]) -> Result<Self, RedisError> {
        let infos: Result<Vec<ConnectionInfo>, _> =
            urls.iter().map(|url| url.as_str().into_connection_info()).collect();
        let infos = infos?;
        let no_address = || RedisError::from((ErrorKind::InvalidClientConfig, "no address"));
        let template = infos.first().cloned().ok_or_else(no_address)?;
        let seeds = infos.iter().map(|info| info.addr().to_string().into()).collect();
        Ok(Self(Arc::new(Inner {
            seeds,
            template,
            slots: Mutex::default(),
            managers: Mutex::default(),
            stale: AtomicBool::new(true),
            reading: tokio::sync::Mutex::default(),
        })))
    }

    /// Who has a slot.
    pub(super) async fn owner(&self, slot: u16) -> Result<Address, RedisError> {
        self.read_slots().await?;
        self.known_owner(slot)
    }

    fn known_owner(&self, slot: u16) -> Result<Address, RedisError> {
        let owner = self.slots().owner(slot).cloned();
        owner.ok_or_else(|| {
            self.read_again();
            RedisError::from((ErrorKind::ClusterConnectionNotFound, "nobody has the slot"))
        })
    }

    /// The connection to the node that has a slot.
    pub(super) async fn at(&self, slot: u16) -> Result<ConnectionManager, RedisError> {
        self.manager(&self.owner(slot).await?)
    }

    /// Looks whether an error means that the slots are elsewhere now.
    pub(super) fn note<T>(&self, result: &Result<T, RedisError>) {
        if let Err(error) = result
            && (error.is_cluster_error()
                || error.is_io_error()
                || error.is_unrecoverable_error()
                // A transaction for a slot that is elsewhere.
                || error.code() == Some("EXECABORT"))
        {
            self.read_again();
        }
    }

    /// The slots are elsewhere now.
    pub(super) fn read_again(&self) {
        self.0.stale.store(true, Ordering::Release);
    }

    /// Has all nodes know a script that answer.
    pub(super) async fn load(&self, script: &Script) -> Result<(), RedisError> {
        self.read_slots().await?;
        let nodes: HashSet<Address> = self.slots().nodes().cloned().collect();
        let told = join_all(nodes.iter().map(async |address| {
            script.prepare_invoke().load_async(&mut self.manager(address)?).await.map(drop)
        }));
        told.await.into_iter().reduce(Result::or).unwrap_or_else(|| Err(nobody()))
    }

    /// Runs commands, those for one node in one go. What a node refuses is tried once more where the
    /// slots are by then.
    pub(super) async fn by_shard(
        &self,
        commands: Vec<(Shard, Cmd)>,
    ) -> Vec<Result<Value, RedisError>> {
        let mut answers = self.once(&commands).await;
        let left: Vec<usize> = (0..answers.len()).filter(|n| moved(&answers[*n])).collect();
        if !left.is_empty() {
            let again: Vec<_> = left.iter().map(|n| commands[*n].clone()).collect();
            for (place, answer) in left.into_iter().zip(self.once(&again).await) {
                answers[place] = answer;
            }
        }
        answers
    }

    async fn once(&self, commands: &[(Shard, Cmd)]) -> Vec<Result<Value, RedisError>> {
        if let Err(error) = self.read_slots().await {
            return vec![Err(error); commands.len()];
        }
        let mut answers = vec![Err(nobody()); commands.len()];
        let mut parts: BTreeMap<Address, Vec<usize>> = BTreeMap::new();
        for (place, (shard, _)) in commands.iter().enumerate() {
            match self.known_owner(shard.slot()) {
                Ok(owner) => parts.entry(owner).or_default().push(place),
                Err(error) => answers[place] = Err(error),
            }
        }
        let told = join_all(parts.into_iter().map(async |(owner, places)| {
            let part = places.iter().map(|place| commands[*place].1.clone());
            let told = match self.manager(&owner) {
                Ok(manager) => in_one_go(manager, part).await,
                Err(error) => vec![Err(error); places.len()],
            };
            for answer in &told {
                self.note(answer);
            }
            if told.iter().any(is_stuck) {
                self.managers().remove(&owner);
            }
            places.into_iter().zip(told)
        }));
        for (place, answer) in told.await.into_iter().flatten() {
            answers[place] = answer;
        }
        answers
    }

    /// Asks the nodes, one after the other, until one tells; unless what is known still holds.
    pub(super) async fn read_slots(&self) -> Result<(), RedisError> {
        if !self.0.stale.load(Ordering::Acquire) {
            return Ok(());
        }
        let _one = self.0.reading.lock().await;
        if !self.0.stale.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut last = Err(nobody());
        let mut asked = HashSet::new();
        let known: Vec<Address> = self.slots().nodes().cloned().collect();
        for address in known.into_iter().chain(self.0.seeds.iter().cloned()) {
            if !asked.insert(address.clone()) {
                continue;
            }
            let mut manager = self.manager(&address)?;
            match cmd("CLUSTER").arg("NODES").query_async::<String>(&mut manager).await {
                Ok(text) => match Slots::read(&text, &address) {
                    // It has lost what it knew: the next one may know.
                    slots if slots.nodes().next().is_none() => {}
                    slots => {
                        self.take(slots);
                        return Ok(());
                    }
                },
                Err(error) => last = Err(error),
            }
        }
        last
    }

    fn take(&self, slots: Slots) {
        self.managers().retain(|address, _| slots.nodes().any(|node| node == address));
        *self.slots() = slots;
        self.0.stale.store(false, Ordering::Release);
    }

    fn manager(&self, address: &Address) -> Result<ConnectionManager, RedisError> {
        let mut managers = self.managers();
        if let Some(known) = managers.get(address) {
            return Ok(known.clone());
        }
        let config = ConnectionManagerConfig::new()
            .set_response_timeout(Some(NODE_PATIENCE))
            .set_connection_timeout(Some(NODE_PATIENCE))
            // Whoever asks tries again, perhaps elsewhere.
            .set_number_of_retries(1);
        let manager = ConnectionManager::new_lazy_with_config(
            self.client(address, ProtocolVersion::default())?,
            config,
        )?;
        managers.insert(address.clone(), manager.clone());
        Ok(manager)
    }

    /// A way to one node.
    pub(super) fn client(
        &self,
        address: &Address,
        protocol: ProtocolVersion,
    ) -> Result<Client, RedisError> {
        let (host, port) = address.rsplit_once(':').unwrap_or((address, "6379"));
        let port = port.parse().unwrap_or(6379);
        let node = redis::ConnectionAddr::Tcp(host.to_owned(), port);
        let template = self.0.template.clone();
        let settings = template.redis_settings().clone().set_protocol(protocol);
        Client::open(template.set_addr(node).set_redis_settings(settings))
    }

    fn managers(&self) -> std::sync::MutexGuard<'_, HashMap<Address, ConnectionManager>> {
        self.0.managers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, Slots> {
        self.0.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nobody() -> RedisError {
    RedisError::from((ErrorKind::ClusterConnectionNotFound, "no node tells who has the slots"))
}

/// What the library's connection does not get over by itself.
fn is_stuck(answer: &Result<Value, RedisError>) -> bool {
    let kinds = [ErrorKind::AuthenticationFailed, ErrorKind::Parse];
    answer.as_ref().is_err_and(|error| kinds.contains(&error.kind()))
}

fn moved(answer: &Result<Value, RedisError>) -> bool {
    answer.as_ref().is_err_and(RedisError::is_cluster_error)
}

/// Runs commands on one connection.
pub(super) async fn in_one_go(
    mut manager: ConnectionManager,
    commands: impl ExactSizeIterator<Item = Cmd>,
) -> Vec<Result<Value, RedisError>> {
    let count = commands.len();
    let mut pipeline = Pipeline::with_capacity(count);
    for command in commands {
        pipeline.add_command(command);
    }
    // What is refused to one is not refused to the others.
    pipeline.ignore_errors();
    match pipeline.query_async::<Vec<Result<Value, RedisError>>>(&mut manager).await {
        Ok(answers) => answers,
        Err(error) => vec![Err(error); count],
    }
}
