//! A Redis Cluster of three nodes without replicas, private to one run: what needs one is tried
//! against the real thing.

use super::{Server, launch, redis::ping, wait_ready};
use crate::host::folder::DataFolder;
use crate::host::install::debian;
use crate::host::port;
use crate::host::process::Register;
use anyhow::Context;
use nix::sys::signal::Signal;
use redis::aio::MultiplexedConnection;
use redis::{Client, FromRedisValue, cmd};
use std::path::PathBuf;
use std::time::Duration;

/// Slots of a Redis Cluster.
const SLOTS: u16 = 16_384;
/// Nodes.
const NODES: u16 = 3;
/// How long nodes may take to agree.
const AGREE: Duration = Duration::from_secs(20);

/// The cluster.
pub struct Cluster {
    nodes: Vec<Node>,
}

struct Node {
    port: u16,
    bus_port: u16,
    log: PathBuf,
    server: Server,
}

impl Cluster {
    /// Starts the nodes and gives each a third of the slots.
    ///
    /// # Errors
    /// When Redis cannot be had, or the nodes do not agree.
    pub async fn start(folder: &DataFolder, register: &Register) -> anyhow::Result<Self> {
        debian("redis-server", &["redis-server"]).await?;
        let mut nodes = Vec::new();
        for number in 0..NODES {
            nodes.push(Node::start(number, folder, register).await?);
        }
        let cluster = Self { nodes };
        cluster.share_out().await?;
        cluster.agree().await?;
        Ok(cluster)
    }

    async fn share_out(&self) -> anyhow::Result<()> {
        for (number, node) in (0..NODES).zip(&self.nodes) {
            let first = number * (SLOTS / NODES);
            let last = if number + 1 == NODES { SLOTS - 1 } else { first + SLOTS / NODES - 1 };
            node.ask::<()>(cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(first).arg(last)).await?;
            for other in &self.nodes {
                let mut meet = cmd("CLUSTER");
                meet.arg("MEET").arg("127.0.0.1").arg(other.port).arg(other.bus_port);
                node.ask::<()>(&meet).await?;
            }
        }
        Ok(())
    }

    /// Waits until each node knows all others and where every slot is.
    ///
    /// # Errors
    /// When they do not agree in time.
    pub async fn agree(&self) -> anyhow::Result<()> {
        let told = |info: &str| {
            let has = |line| info.lines().any(|one| one.trim() == line);
            has("cluster_state:ok") && has("cluster_known_nodes:3") && has("cluster_slots_ok:16384")
        };
        let all = async {
            for node in &self.nodes {
                while !node
                    .ask(cmd("CLUSTER").arg("INFO"))
                    .await
                    .is_ok_and(|info: String| told(&info))
                {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        };
        tokio::time::timeout(AGREE, all).await.context("the nodes do not agree")
    }

    /// URLs of all nodes.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(Node::url).collect()
    }

    /// Asks one node something.
    ///
    /// # Errors
    /// When it does not answer, or not with that.
    pub async fn ask<T: FromRedisValue>(
        &self,
        node: usize,
        command: &redis::Cmd,
    ) -> anyhow::Result<T> {
        self.nodes.get(node).context("no such node")?.ask(command).await
    }

    /// Ends a node at once.
    ///
    /// # Errors
    /// When there is no such node.
    pub fn kill(&self, node: usize) -> anyhow::Result<()> {
        self.nodes.get(node).context("no such node")?.server.identity.signal(Signal::SIGKILL);
        Ok(())
    }

    /// Starts a node again that was ended: empty, with the slots that it had.
    ///
    /// # Errors
    /// When it does not get ready, or the others do not take it back.
    pub async fn revive(&mut self, node: usize, register: &Register) -> anyhow::Result<()> {
        let node = self.nodes.get_mut(node).context("no such node")?;
        node.server =
            serve(node.server.started.argv.clone(), node.port, &node.log, register).await?;
        self.agree().await
    }

    /// Gives a slot, with what is in it, to another node.
    ///
    /// # Errors
    /// When a node refuses.
    pub async fn move_slot(&self, slot: u16, from: usize, to: usize) -> anyhow::Result<()> {
        let [source, target] = [from, to].map(|number| self.nodes.get(number));
        let (source, target) = (source.context("from")?, target.context("to")?);
        let [source_id, target_id] = [source.id().await?, target.id().await?];
        let set = |what: &str, id: &str| {
            cmd("CLUSTER").arg("SETSLOT").arg(slot).arg(what).arg(id).clone()
        };
        target.ask::<()>(&set("IMPORTING", &source_id)).await?;
        source.ask::<()>(&set("MIGRATING", &target_id)).await?;
        let keys = cmd("CLUSTER").arg("GETKEYSINSLOT").arg(slot).arg(10_000).clone();
        for key in source.ask::<Vec<String>>(&keys).await? {
            let mut migrate = cmd("MIGRATE");
            migrate.arg("127.0.0.1").arg(target.port).arg(key).arg(0).arg(5_000);
            source.ask::<()>(&migrate).await?;
        }
        for node in [target, source].into_iter().chain(&self.nodes) {
            node.ask::<()>(&set("NODE", &target_id)).await?;
        }
        Ok(())
    }

    /// Ends all nodes.
    pub async fn stop(self) {
        for node in self.nodes {
            node.server.identity.end(node.server.gentle, Duration::from_secs(5)).await;
        }
    }
}

impl Node {
    async fn start(number: u16, folder: &DataFolder, register: &Register) -> anyhow::Result<Self> {
        let data = folder.fresh(&format!("node-{number}"), None)?;
        let [port, bus_port] = port::free()?;
        let log = folder.path().join(format!("redis-node-{number}.log"));
        let argv = format!(
            "redis-server --port {port} --bind 127.0.0.1 --cluster-enabled yes --cluster-port {bus_port} \
             --cluster-node-timeout 2000 --cluster-require-full-coverage no --dir {}",
            data.display()
        );
        let mut argv: Vec<String> = argv.split_whitespace().map(str::to_owned).collect();
        argv.extend(["--save".to_owned(), String::new()]);
        let server = serve(argv, port, &log, register).await?;
        Ok(Self { port, bus_port, log, server })
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    async fn id(&self) -> anyhow::Result<String> {
        self.ask(cmd("CLUSTER").arg("MYID")).await
    }

    async fn ask<T: FromRedisValue>(&self, command: &redis::Cmd) -> anyhow::Result<T> {
        let client = Client::open(self.url())?;
        let mut connection: MultiplexedConnection =
            client.get_multiplexed_async_connection().await?;
        Ok(command.query_async(&mut connection).await?)
    }
}

async fn serve(
    argv: Vec<String>,
    port: u16,
    log: &std::path::Path,
    register: &Register,
) -> anyhow::Result<Server> {
    let server = launch(register, "Redis node", argv, Signal::SIGTERM, log, None)?;
    wait_ready(&server, log, async || ping(port).await.is_ok()).await?;
    Ok(server)
}
