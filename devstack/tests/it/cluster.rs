//! A gateway on a Redis Cluster: sharded publications, a slot that moves, a node that dies.

use contract::name::Shard;
use devstack::client::LiveClient;
use devstack::server::cluster::Cluster;
use devstack::testing::Ground;
use redis::cmd;
use service_kit::clock;
use service_kit::live_bus::{LivePublisher, LiveState};
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);
/// As many as one connection may watch, less than all shards, of every node some.
const ORDERS: usize = 48;

struct Site {
    ground: Ground,
    cluster: Cluster,
    publisher: LivePublisher,
    viewer: LiveClient,
}

fn order(number: usize) -> String {
    format!("CL-{number}")
}

fn channel(number: usize) -> String {
    format!("order:{}", order(number))
}

impl Site {
    async fn start() -> Self {
        let mut ground = Ground::prepare("cluster").await.unwrap();
        let cluster = Cluster::start(&ground.folder, &ground.register).await.unwrap();
        let gateway = ground.gateway(&cluster.urls(), &[]).await.unwrap();
        let token = ground.token("C-1", (0..ORDERS).map(order).collect()).unwrap();
        let mut viewer = LiveClient::connect(&gateway, &token).await.unwrap();
        for number in 0..ORDERS {
            let frame =
                serde_json::json!({"op": "subscribe", "id": number, "channel": channel(number)});
            // Slower than the limit of frames.
            tokio::time::sleep(Duration::from_millis(60)).await;
            viewer.send(&frame).await.unwrap();
        }
        let publisher = LivePublisher::new(&cluster.urls()).unwrap();
        Self { ground, cluster, publisher, viewer }
    }

    async fn publish(&self, version: u64) -> Result<(), redis::RedisError> {
        self.ground.newest.store(version, Ordering::Release);
        let state = |number| LiveState {
            channel: channel(number),
            version,
            data: format!("{{\"version\":{version}}}").into(),
            traceparent: None,
        };
        let states: Vec<LiveState<'_>> = (0..ORDERS).map(state).collect();
        self.publisher.publish(&states, clock::now().timestamp_millis()).await
    }

    /// Waits until the viewer has this version of so many orders.
    async fn seen(&mut self, version: u64, orders: impl IntoIterator<Item = usize>) {
        let mut missing: BTreeSet<String> = orders.into_iter().map(channel).collect();
        while !missing.is_empty() {
            let fits = |seen: &devstack::client::Seen| seen.version() >= version;
            let seen = self.viewer.wait(LIMIT, fits).await;
            let seen = seen.unwrap_or_else(|error| panic!("{error}; without it: {missing:?}"));
            missing.retain(|channel| !seen.about(channel));
        }
    }

    /// The shards that somebody hears at a node.
    async fn subscribed(&self, node: usize) -> Vec<String> {
        self.cluster.ask(node, cmd("PUBSUB").arg("SHARDCHANNELS")).await.unwrap()
    }

    async fn all_subscribed(&self) {
        let all = async {
            loop {
                let mut count = 0;
                for node in 0..3 {
                    count += self.subscribed(node).await.len();
                }
                if count == 64 {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(LIMIT, all).await.expect("not every shard is subscribed to");
    }

    async fn slot(&self, number: usize) -> u16 {
        let key = Shard::of(&channel(number)).sequence_key();
        self.cluster.ask(0, cmd("CLUSTER").arg("KEYSLOT").arg(key)).await.unwrap()
    }

    /// The node whose third of the slots it is in.
    async fn node(&self, number: usize) -> usize {
        usize::from(self.slot(number).await / 5461).min(2)
    }
}

#[tokio::test]
async fn a_viewer_converges_on_a_cluster_whatever_becomes_of_its_nodes() {
    let mut site = Site::start().await;
    site.publish(1).await.unwrap();
    site.seen(1, 0..ORDERS).await;
    site.all_subscribed().await;
    for node in 0..3 {
        let shards = site.subscribed(node).await;
        assert!((1..64).contains(&shards.len()), "each node has its own shards: {shards:?}");
    }
    // A slot goes to another node, with its states and without its subscribers.
    let from = site.node(0).await;
    let to = (from + 1) % 3;
    site.cluster.move_slot(site.slot(0).await, from, to).await.unwrap();
    site.publish(2).await.unwrap();
    site.seen(2, 0..ORDERS).await;
    // A node dies: what the others have goes on.
    let dead = (to + 1) % 3;
    let mut living = Vec::new();
    for number in 1..ORDERS {
        if site.node(number).await != dead {
            living.push(number);
        }
    }
    assert!(living.len() < ORDERS - 1, "some are on the node that dies");
    site.cluster.kill(dead).unwrap();
    assert!(site.publish(3).await.is_err(), "whoever publishes learns that not all is told");
    site.seen(3, living).await;
    // It comes back with nothing in it.
    site.cluster.revive(dead, &site.ground.register).await.unwrap();
    tokio::time::timeout(LIMIT, async { while site.publish(4).await.is_err() {} }).await.unwrap();
    site.seen(4, 0..ORDERS).await;
    // Not only what was missed is read again: every shard is subscribed to again too, the one that
    // moved where it is now.
    site.all_subscribed().await;
    let moved = Shard::of(&channel(0)).pubsub();
    assert!(site.subscribed(to).await.contains(&moved));
    assert!(!site.subscribed(from).await.contains(&moved));
    for version in 5..10 {
        site.publish(version).await.unwrap();
        site.seen(version, 0..ORDERS).await;
    }
    site.cluster.stop().await;
    site.ground.end().await;
}
