//! A gateway on a Redis Cluster: sharded publications, a slot that moves, a node that dies.

use axum::Router;
use axum::http::header;
use axum::routing::get;
use chrono::TimeDelta;
use contract::name::Shard;
use devstack::client::LiveClient;
use devstack::host::folder::{DataFolder, write_private};
use devstack::host::process::Register;
use devstack::run::build;
use devstack::server::cluster::Cluster;
use redis::cmd;
use service_kit::clock;
use service_kit::live_bus::{LivePublisher, LiveState};
use service_kit::token::{SCOPE_TIMELINE, TokenKeys, generate_keys};
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::process::Command;
use tokio::task::JoinSet;

const LIMIT: Duration = Duration::from_secs(30);
/// As many as one connection may watch, less than all shards, of every node some.
const ORDERS: usize = 48;

struct Site {
    folder: DataFolder,
    register: Register,
    cluster: Cluster,
    publisher: LivePublisher,
    viewer: LiveClient,
    /// The newest version, which the service knows that owns all orders.
    newest: Arc<AtomicU64>,
    _tasks: JoinSet<()>,
}

fn order(number: usize) -> String {
    format!("CL-{number}")
}

fn channel(number: usize) -> String {
    format!("order:{}", order(number))
}

fn free() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

impl Site {
    async fn start() -> Self {
        let folder = DataFolder::take("cluster").unwrap();
        let register = Register::open(folder.path()).await;
        let cluster = Cluster::start(&folder, &register).await.unwrap();
        let mut tasks = JoinSet::new();
        let newest = Arc::<AtomicU64>::default();
        let owner = own(newest.clone(), &mut tasks).await;
        let path = |name: &str| folder.path().join(name);
        let keys = generate_keys("cluster").unwrap();
        write_private(&path("keys.json"), &keys).unwrap();
        write_private(&path("api-keys.json"), "[]").unwrap();
        let (http, admin) = (free(), free());
        let mut command = Command::new(build::binary("realtime-gateway").unwrap());
        command.env_clear().kill_on_drop(true);
        command.env("TOKEN_KEYS_FILE", path("keys.json"));
        command
            .env("API_KEYS_FILE", path("api-keys.json"))
            .env("REDIS_URL", cluster.urls().join(","));
        command.env("LOG", "error").env("HTTP_ADDR", &http).env("ADMIN_ADDR", &admin);
        command.env("AGGREGATOR_URLS", &owner).env("NOTIFIER_URLS", &owner);
        let (mut child, _) = register.spawn("gateway", &mut command).unwrap();
        tasks.spawn(async move { drop(child.wait().await) });
        ready(&format!("http://{admin}/health/ready")).await;
        let orders: Vec<String> = (0..ORDERS).map(order).collect();
        let end = clock::now() + TimeDelta::hours(1);
        let keys = TokenKeys::from_json(&keys).unwrap();
        let token = keys.mint("C-1", orders, vec![SCOPE_TIMELINE.to_owned()], end).unwrap();
        let mut viewer = LiveClient::connect(&format!("http://{http}"), &token).await.unwrap();
        for number in 0..ORDERS {
            let frame =
                serde_json::json!({"op": "subscribe", "id": number, "channel": channel(number)});
            // Slower than the limit of frames.
            tokio::time::sleep(Duration::from_millis(60)).await;
            viewer.send(&frame).await.unwrap();
        }
        let publisher = LivePublisher::new(&cluster.urls()).unwrap();
        Self { folder, register, cluster, publisher, viewer, newest, _tasks: tasks }
    }

    async fn publish(&self, version: u64) -> Result<(), redis::RedisError> {
        self.newest.store(version, Ordering::Release);
        let state = |number| LiveState {
            channel: channel(number),
            version,
            data: format!("{{\"version\":{version}}}"),
            traceparent: None,
        };
        let states: Vec<LiveState> = (0..ORDERS).map(state).collect();
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

    async fn slot(&self, number: usize) -> u16 {
        let key = Shard::of(&channel(number)).sequence_key();
        self.cluster.ask(0, cmd("CLUSTER").arg("KEYSLOT").arg(key)).await.unwrap()
    }

    /// The node whose third of the slots it is in.
    async fn node(&self, number: usize) -> usize {
        usize::from(self.slot(number).await / 5461).min(2)
    }
}

/// The service that owns the orders: all have the same version.
async fn own(newest: Arc<AtomicU64>, tasks: &mut JoinSet<()>) -> String {
    let tell = async move || {
        let version = newest.load(Ordering::Acquire);
        ([(header::ETAG, format!("\"{version}\""))], format!("{{\"version\":{version}}}"))
    };
    let router = Router::new().route("/v1/orders/{order}/timeline", get(tell));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

async fn ready(health: &str) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let all = async {
        while !client.get(health).send().await.is_ok_and(|answer| answer.status().is_success()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, all).await.unwrap();
}

#[tokio::test]
async fn a_viewer_converges_on_a_cluster_whatever_becomes_of_its_nodes() {
    let mut site = Site::start().await;
    site.publish(1).await.unwrap();
    site.seen(1, 0..ORDERS).await;
    let mut heard = 0;
    for node in 0..3 {
        let shards: Vec<String> =
            site.cluster.ask(node, cmd("PUBSUB").arg("SHARDCHANNELS")).await.unwrap();
        assert!((1..64).contains(&shards.len()), "each node has its own shards: {shards:?}");
        heard += shards.len();
    }
    assert_eq!(heard, 64);
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
    site.cluster.revive(dead, &site.register).await.unwrap();
    tokio::time::timeout(LIMIT, async { while site.publish(4).await.is_err() {} }).await.unwrap();
    site.seen(4, 0..ORDERS).await;
    // Not only what was missed is read again: it is heard again too.
    for version in 5..10 {
        site.publish(version).await.unwrap();
        site.seen(version, 0..ORDERS).await;
    }
    site.cluster.stop().await;
    site.register.end_all().await;
    drop(site.folder);
}
