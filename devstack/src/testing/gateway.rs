//! Gateways of a test's own: with settings that the stack's cannot have.

use crate::client::LiveClient;
use crate::host::folder::{DataFolder, write_private};
use crate::host::port;
use crate::host::process::Register;
use crate::run::build;
use anyhow::{Context, bail};
use axum::Router;
use axum::http::header;
use axum::routing::get;
use chrono::TimeDelta;
use service_kit::clock;
use service_kit::token::{SCOPE_TIMELINE, TokenKeys, generate_keys};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

/// How long a gateway may take to get ready.
const LIMIT: Duration = Duration::from_secs(30);

/// What gateways of one test share: keys, and a service that owns all orders.
pub struct Ground {
    /// Where it keeps its files.
    pub folder: DataFolder,
    /// Ends what it started.
    pub register: Register,
    /// The version that the service tells of every order; none before the first.
    pub newest: Arc<AtomicU64>,
    owner: String,
    keys: TokenKeys,
    gateways: Vec<Child>,
    _tasks: JoinSet<()>,
}

impl Ground {
    /// A ground by a name that no other test uses.
    ///
    /// # Errors
    /// When there is no room or no socket for it.
    pub async fn prepare(name: &str) -> anyhow::Result<Self> {
        let folder = DataFolder::take(name)?;
        let register = Register::open(folder.path()).await;
        let keys = generate_keys(name).map_err(anyhow::Error::msg)?;
        write_private(&folder.path().join("keys.json"), &keys)?;
        write_private(&folder.path().join("api-keys.json"), "[]")?;
        let (mut tasks, newest) = (JoinSet::new(), Arc::<AtomicU64>::default());
        let owner = own(newest.clone(), &mut tasks).await?;
        let keys = TokenKeys::from_json(&keys).map_err(anyhow::Error::msg)?;
        Ok(Self { folder, register, newest, owner, keys, gateways: Vec::new(), _tasks: tasks })
    }

    /// Starts a gateway and gives its address.
    ///
    /// # Errors
    /// When it does not get ready.
    pub async fn gateway(
        &mut self,
        redis: &[String],
        settings: &[(&str, &str)],
    ) -> anyhow::Result<String> {
        let [http, admin] = port::free()?.map(|port| format!("127.0.0.1:{port}"));
        let mut command = Command::new(build::binary("realtime-gateway")?);
        let path = |name: &str| self.folder.path().join(name);
        command.env_clear().kill_on_drop(true);
        command.env("TOKEN_KEYS_FILE", path("keys.json"));
        command.env("API_KEYS_FILE", path("api-keys.json")).env("REDIS_URL", redis.join(","));
        command.env("LOG", "error").env("HTTP_ADDR", &http).env("ADMIN_ADDR", &admin);
        command.env("AGGREGATOR_URLS", &self.owner).env("NOTIFIER_URLS", &self.owner);
        command.envs(settings.iter().copied());
        let (mut child, _) = self.register.spawn("gateway", &mut command)?;
        let health = format!("http://{admin}/health/ready");
        tokio::select! {
            ready = ready(&health) => ready?,
            end = child.wait() => bail!("the gateway ended before it was ready: {}", end?),
        }
        self.gateways.push(child);
        Ok(format!("http://{http}"))
    }

    /// A token for a customer's orders.
    ///
    /// # Errors
    /// When it cannot be signed.
    pub fn token(&self, customer: &str, orders: Vec<String>) -> anyhow::Result<String> {
        let end = clock::now() + TimeDelta::hours(1);
        Ok(self.keys.mint(customer, orders, vec![SCOPE_TIMELINE.to_owned()], end)?)
    }

    /// A viewer of a gateway, welcomed.
    ///
    /// # Errors
    /// When it is not let in.
    pub async fn viewer(&self, gateway: &str, customer: &str) -> anyhow::Result<LiveClient> {
        LiveClient::connect(gateway, &self.token(customer, Vec::new())?).await
    }

    /// Ends everything.
    pub async fn end(self) {
        self.register.end_all().await;
    }
}

/// A service that tells the same version of every order.
async fn own(newest: Arc<AtomicU64>, tasks: &mut JoinSet<()>) -> anyhow::Result<String> {
    let tell = async move || {
        let version = newest.load(Ordering::Acquire);
        ([(header::ETAG, format!("\"{version}\""))], format!("{{\"version\":{version}}}"))
    };
    let router = Router::new().route("/v1/orders/{order}/timeline", get(tell));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tasks.spawn(async move { drop(axum::serve(listener, router).await) });
    Ok(url)
}

async fn ready(health: &str) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let all = async {
        while !client.get(health).send().await.is_ok_and(|answer| answer.status().is_success()) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, all).await.context("the gateway does not get ready")
}
