//! What all scenarios share: Redis on the viewers' core, keys, and how each program is started.

use crate::cpu::{self, OTHERS};
use anyhow::Context;
use chrono::TimeDelta;
use devstack::host::folder::{DataFolder, write_private};
use devstack::host::port;
use devstack::host::process::{Identity, Register};
use devstack::run::build;
use devstack::server::cluster::Cluster;
use devstack::server::{Given, Servers};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use service_kit::clock;
use service_kit::token::{SCOPE_TIMELINE, TokenKeys, generate_keys};
use std::cell::RefCell;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};
use tokio::runtime::Runtime;

/// A secret of an HS256 key, of these runs alone.
const SHARED_SECRET: &str = "c3dhcm0tc3dhcm0tc3dhcm0tc3dhcm0tc3dhcm0tMDE";

/// Key of the shop, of these runs alone.
pub(crate) const API_KEY: &str = "swarm-swarm-swarm-swarm-swarm-swarm";

/// Over how long a gateway that is told to go sends its viewers away.
pub(crate) const DRAIN: Duration = Duration::from_secs(10);

/// What signs viewers' tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signed {
    Hs256,
    EdDsa,
}

/// What a gateway of ours is told to talk to.
#[derive(Debug, Clone)]
pub(crate) struct Behind {
    pub(crate) redis: String,
    pub(crate) owner: String,
    /// How many connections an address may have; none: any number.
    pub(crate) per_address: Option<u32>,
}

/// The machine, made ready.
pub(crate) struct Host {
    pub(crate) runtime: Runtime,
    pub(crate) register: Register,
    /// Our gateway's program, built as we are.
    pub(crate) gateway: PathBuf,
    /// Beginning of the clock that payloads carry.
    pub(crate) clock: Instant,
    /// What our gateway is started with.
    preload: Option<PathBuf>,
    servers: Servers,
    redis: RefCell<(Identity, Option<Child>)>,
    folder: DataFolder,
    hs256: TokenKeys,
    eddsa: TokenKeys,
}

impl Host {
    /// Builds the gateway, starts Redis, makes keys.
    pub(crate) fn prepare(runtime: Runtime, preload: Option<PathBuf>) -> anyhow::Result<Self> {
        let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
        setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
        let folder = DataFolder::take("swarm")?;
        let register = runtime.block_on(Register::open(folder.path()));
        runtime.block_on(build::binaries())?;
        let gateway = build::binary("realtime-gateway")?;
        // Viewers need neither a database nor Kafka.
        let none = Some(String::new());
        let given = Given { database: none.clone(), kafka: none, redis: None };
        let servers = runtime.block_on(Servers::start(given, &folder, &register))?;
        let started = servers.own.first().map(|(_, server)| server.started.pid).context("Redis")?;
        let redis = Identity::of("Redis", started).context("Redis has ended")?;
        let (eddsa, hs256) = keys(&folder)?;
        cpu::pin(started, OTHERS)?;
        let redis = RefCell::new((redis, None));
        let clock = Instant::now();
        Ok(Self {
            runtime,
            register,
            gateway,
            clock,
            preload,
            servers,
            redis,
            folder,
            hs256,
            eddsa,
        })
    }

    /// URL of Redis.
    pub(crate) fn redis(&self) -> String {
        self.servers.redis_url.clone()
    }

    /// Empties Redis.
    pub(crate) fn flush(&self) -> anyhow::Result<()> {
        let mut connection = redis::Client::open(self.redis())?.get_connection()?;
        Ok(redis::cmd("FLUSHALL").query(&mut connection)?)
    }

    /// Starts a cluster of three nodes.
    pub(crate) fn cluster(&self) -> anyhow::Result<Cluster> {
        self.runtime.block_on(Cluster::start(&self.folder, &self.register))
    }

    /// Sends Redis a signal.
    pub(crate) fn signal_redis(&self, signal: Signal) {
        self.redis.borrow().0.signal(signal);
    }

    /// Starts Redis again, on its old port, with nothing in it.
    pub(crate) fn restart_redis(&self) -> anyhow::Result<()> {
        let (_, server) = self.servers.own.first().context("Redis")?;
        let (program, arguments) = server.started.argv.split_first().context("Redis")?;
        let mut command = Command::new(program);
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        let _inside = self.runtime.enter();
        let (child, identity) = self.register.spawn("Redis", &mut command)?;
        cpu::pin(identity.pid, OTHERS)?;
        *self.redis.borrow_mut() = (identity, Some(child));
        Ok(())
    }

    /// A token that opens one channel for an hour.
    pub(crate) fn token(&self, channel: usize, signed: Signed) -> anyhow::Result<String> {
        let keys = match signed {
            Signed::Hs256 => &self.hs256,
            Signed::EdDsa => &self.eddsa,
        };
        let end = clock::now() + TimeDelta::hours(1);
        let (orders, scope) = (vec![format!("S-{channel}")], vec![SCOPE_TIMELINE.to_owned()]);
        Ok(keys.mint(&format!("C-{channel}"), orders, scope, end)?)
    }

    /// Settings of our gateway: all that a real one has, with limits for load from one address. Gives
    /// where it says whether it is ready.
    pub(crate) fn gateway(
        &self,
        command: &mut Command,
        port: u16,
        behind: &Behind,
    ) -> anyhow::Result<String> {
        let [admin] = port::free()?;
        let admin = format!("127.0.0.1:{admin}");
        let many = "1000000";
        let each = behind.per_address.map_or_else(|| many.to_owned(), |each| each.to_string());
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        command.env_clear().envs([
            ("HTTP_ADDR", format!("127.0.0.1:{port}")),
            ("ADMIN_ADDR", admin.clone()),
            ("LOG", "error".to_owned()),
            ("REDIS_URL", behind.redis.clone()),
            ("TOKEN_KEYS_FILE", path("token-keys.json")),
            ("API_KEYS_FILE", path("api-keys.json")),
            ("AGGREGATOR_URLS", behind.owner.clone()),
            ("NOTIFIER_URLS", behind.owner.clone()),
            ("LIMIT_REQUESTS_PER_SECOND", many.to_owned()),
            ("LIMIT_SOCKETS_PER_ADDRESS", each.clone()),
            ("LIMIT_CONNECTIONS_PER_ADDRESS", each),
            ("LIMIT_CONNECTIONS", many.to_owned()),
            ("LIMIT_CONNECTS_PER_SECOND", many.to_owned()),
            ("LIMIT_CONNECTIONS_PER_SUBJECT", many.to_owned()),
            ("DRAIN_WINDOW", format!("{}s", DRAIN.as_secs())),
            ("SHUTDOWN_GRACE", format!("{}s", DRAIN.as_secs() * 2)),
            ("WORKER_THREADS", "1".to_owned()),
        ]);
        if let Some(library) = &self.preload {
            command.env("LD_PRELOAD", library);
        }
        Ok(format!("http://{admin}/health/ready"))
    }

    /// Settings of Centrifugo: one core, channels without history that anybody may watch. Gives where
    /// it says whether it is well.
    pub(crate) fn centrifugo(&self, command: &mut Command, port: u16) -> anyhow::Result<String> {
        let [internal] = port::free()?;
        let internal = internal.to_string();
        let namespace = json!({"name": "plain", "allow_subscribe_for_client": true,
            "allow_subscribe_for_anonymous": true});
        let config = json!({
            "http_server": {"address": "127.0.0.1", "port": port, "internal_address": "127.0.0.1",
                "internal_port": internal},
            "health": {"enabled": true},
            "log": {"level": "error"}, "usage_stats": {"disabled": true},
            "engine": {"type": "redis", "redis": {"address": [self.redis()], "prefix": "cfbench"}},
            "client": {"allow_anonymous_connect_without_token": true, "allowed_origins": []},
            "channel": {"namespaces": [namespace]},
        });
        let file = self.folder.path().join("centrifugo.json");
        write_private(&file, &config.to_string())?;
        command.arg("--config").arg(file).env("GOMAXPROCS", "1");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Ok(format!("http://127.0.0.1:{internal}/health"))
    }

    /// Ends Redis and removes what was written.
    pub(crate) fn end(self) {
        let (identity, _child) = self.redis.into_inner();
        self.runtime.block_on(identity.end(Signal::SIGTERM, Duration::from_secs(5)));
        self.runtime.block_on(self.servers.stop());
        self.folder.remove();
    }
}

/// Both keys in the gateway's file, and each alone to sign with.
fn keys(folder: &DataFolder) -> anyhow::Result<(TokenKeys, TokenKeys)> {
    let read = |text: &str| TokenKeys::from_json(text).map_err(anyhow::Error::msg);
    let pair = generate_keys("swarm-pair").map_err(anyhow::Error::msg)?;
    let shared = json!({"kty": "oct", "kid": "swarm-shared", "alg": "HS256", "k": SHARED_SECRET});
    let mut both: Value = serde_json::from_str(&pair)?;
    both["keys"].as_array_mut().context("a JWK set")?.push(shared.clone());
    write_private(&folder.path().join("token-keys.json"), &both.to_string())?;
    let api = json!([{"name": "swarm", "role": "api", "key": API_KEY}]);
    write_private(&folder.path().join("api-keys.json"), &api.to_string())?;
    Ok((read(&pair)?, read(&json!({"keys": [shared]}).to_string())?))
}
