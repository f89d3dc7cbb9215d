//! The whole product on this machine: servers, databases, services, fakes, manifest.

use super::port::Ports;
use super::secret::Secrets;
use super::supervisor::{Spec, Supervisor};
use super::build;
use crate::host::folder::{self, DataFolder};
use crate::host::install;
use crate::host::process::Register;
use crate::host::term::{self, Step};
use crate::manifest::{Admin, Manifest, ManifestFile};
use crate::server::{Given, Servers};
use anyhow::Context;
use service_kit::lifecycle::Lifecycle;
use sqlx::{Connection, PgConnection};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

/// What is wanted of a stack.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Port of the first gateway.
    pub port: Option<u16>,
    /// Servers that are there already.
    pub given: Given,
    /// Our own services too, not only servers and fakes.
    pub services: bool,
    /// Arguments of the simulated shop, given to the fakes.
    pub simulate: Vec<String>,
}

/// A running stack.
pub struct Stack {
    /// Where everything is.
    pub manifest: ManifestFile,
    /// Ends everything of ours.
    pub life: Lifecycle,
    servers: Servers,
    folder: DataFolder,
}

impl Stack {
    /// Starts everything. After an error, or a signal meanwhile, nothing of it is left.
    ///
    /// # Errors
    /// A sentence that names what cannot be had.
    pub async fn up(options: Options) -> anyhow::Result<Self> {
        let folder = DataFolder::take("stack")?;
        let register = Arc::new(Register::open(folder.path()).await);
        let started = tokio::select! {
            started = start(&options, &folder, register.clone()) => started,
            () = interrupted() => Err(anyhow::anyhow!("interrupted")),
        };
        match started {
            Ok((manifest, life, servers)) => Ok(Self { manifest, life, servers, folder }),
            Err(error) => {
                register.end_all().await;
                Manifest::forget();
                folder.remove();
                Err(error)
            }
        }
    }

    /// Runs until a signal (or the life's stop), then ends and removes everything.
    pub async fn run(self) {
        let soft = self.life.soft().clone();
        let notice = async move {
            soft.cancelled().await;
            term::line("\nstopping …");
        };
        self.life.spawn_light(notice);
        self.life.run(Duration::from_secs(14)).await;
        self.servers.stop().await;
        Manifest::forget();
        self.folder.remove();
        term::line("everything is stopped and removed");
    }
}

async fn start(
    options: &Options,
    folder: &DataFolder,
    register: Arc<Register>,
) -> anyhow::Result<(ManifestFile, Lifecycle, Servers)> {
    let servers = Servers::start(options.given.clone(), folder, &register);
    let (servers, ()) = tokio::try_join!(servers, prepare(options.services))?;
    let life = Lifecycle::new();
    let started = start_own(options, folder, &servers, register, &life).await;
    if started.is_err() {
        // Before the register ends the processes, nobody may start them again.
        life.stop();
        life.clone().run(Duration::from_secs(5)).await;
    }
    Ok((started?, life, servers))
}

/// Ctrl-C or SIGTERM.
async fn interrupted() {
    let terminate = signal(SignalKind::terminate());
    let terminate = async {
        match terminate {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
    }
}

/// What can be made while the servers start.
async fn prepare(services: bool) -> anyhow::Result<()> {
    if services {
        tokio::try_join!(build::binaries(), install::widget())?;
    }
    Ok(())
}

async fn start_own(
    options: &Options,
    folder: &DataFolder,
    servers: &Servers,
    register: Arc<Register>,
    life: &Lifecycle,
) -> anyhow::Result<ManifestFile> {
    let ports = Ports::find(options.port)?;
    let secrets = Secrets::create(folder)?;
    let database_urls = databases(&servers.postgres_url).await?;
    let manifest = ManifestFile::create(describe(&ports, &secrets, servers, database_urls))?;
    let supervisor = Supervisor { life: life.clone(), register, manifest: manifest.clone() };
    let plan = Plan { manifest: manifest.get(), ports, secrets, simulate: options.simulate.clone() };
    std::fs::create_dir_all(logs())?;
    supervisor.keep(plan.fakes()?)?;
    if options.services {
        plan.migrate().await?;
        for spec in plan.services()? {
            supervisor.keep(spec)?;
        }
        ready(&manifest.get()).await?;
    }
    Ok(manifest)
}

fn logs() -> PathBuf {
    folder::target().join("logs")
}

/// One database for each service that owns a schema.
async fn databases(server: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let mut urls = BTreeMap::new();
    let base = server.split('?').next().unwrap_or(server);
    let base = match base.splitn(4, '/').collect::<Vec<_>>().as_slice() {
        [scheme, empty, host, ..] => format!("{scheme}/{empty}/{host}"),
        _ => base.to_owned(),
    };
    let mut connection = PgConnection::connect(&format!("{base}/postgres")).await.context("PostgreSQL is away")?;
    for (service, create) in [
        ("aggregator", "create database milepost_aggregator"),
        ("notifier", "create database milepost_notifier"),
    ] {
        if let Err(error) = sqlx::query(create).execute(&mut connection).await {
            let there = error.as_database_error().and_then(|e| e.code().map(|c| c == "42P04")).unwrap_or(false);
            anyhow::ensure!(there, "cannot create the database of {service}: {error}");
        }
        urls.insert(service.to_owned(), format!("{base}/milepost_{service}"));
    }
    Ok(urls)
}

fn describe(ports: &Ports, secrets: &Secrets, servers: &Servers, urls: BTreeMap<String, String>) -> Manifest {
    let http = |port: u16| format!("http://127.0.0.1:{port}");
    let own = servers.own.iter().map(|(name, server)| ((*name).to_owned(), server.started.clone()));
    Manifest {
        gateways: ports.gateways.map(http).to_vec(),
        aggregator: http(ports.aggregator[0]),
        notifier: http(ports.notifier[0]),
        admin: Admin {
            gateways: ports.gateway_admin.map(http).to_vec(),
            aggregator: http(ports.aggregator[1]),
            notifier: http(ports.notifier[1]),
        },
        database_urls: urls,
        redis_url: servers.redis_url.clone(),
        kafka_brokers: servers.kafka_brokers.clone(),
        api_key: secrets.api_key.clone(),
        operator_key: secrets.operator_key.clone(),
        demo_page: format!("{}/demo", http(ports.gateways[0])),
        fakes: http(ports.fakes),
        smtp: format!("127.0.0.1:{}", ports.smtp),
        webhook_secrets: BTreeMap::new(),
        pids: BTreeMap::new(),
        servers: own.collect(),
    }
}

/// How each process of ours is started.
struct Plan {
    manifest: Manifest,
    ports: Ports,
    secrets: Secrets,
    simulate: Vec<String>,
}

impl Plan {
    fn fakes(&self) -> anyhow::Result<Spec> {
        let at = |port: u16| format!("127.0.0.1:{port}");
        let mut arguments: Vec<String> = ["fakes", "--http", &at(self.ports.fakes), "--smtp", &self.manifest.smtp]
            .iter()
            .map(ToString::to_string)
            .collect();
        arguments.extend(["--gateway".to_owned(), self.manifest.gateways[0].clone()]);
        arguments.extend(self.simulate.iter().cloned());
        let environment =
            vec![("KAFKA_BROKERS", self.manifest.kafka_brokers.clone()), ("API_KEY", self.secrets.api_key.clone())];
        let program = std::env::current_exe()?;
        Ok(Spec { service: "fakes", slot: 0, program, arguments, environment, log: logs().join("fakes.log") })
    }

    fn services(&self) -> anyhow::Result<Vec<Spec>> {
        let mut all = vec![self.aggregator()?, self.notifier()?];
        for slot in 0..self.ports.gateways.len() {
            all.push(self.gateway(slot)?);
        }
        Ok(all)
    }

    async fn migrate(&self) -> anyhow::Result<()> {
        let step = Step::quiet("databases migrated");
        for spec in [self.aggregator()?, self.notifier()?] {
            let mut command = Command::new(&spec.program);
            command.arg("migrate").env_clear().envs(spec.environment.iter().map(|(k, v)| (k, v)));
            install::quiet(&mut command).await.with_context(|| format!("{} migrate failed", spec.service))?;
        }
        step.done("");
        Ok(())
    }

    fn spec(
        &self,
        service: &'static str,
        slot: usize,
        addresses: [u16; 2],
        mut environment: Vec<(&'static str, String)>,
    ) -> anyhow::Result<Spec> {
        let at = |port: u16| format!("127.0.0.1:{port}");
        let path = |path: &PathBuf| path.display().to_string();
        environment.extend([
            ("HTTP_ADDR", at(addresses[0])),
            ("ADMIN_ADDR", at(addresses[1])),
            ("LOG_FORMAT", "json".to_owned()),
            ("LOG", "info".to_owned()),
            ("REDIS_URL", self.manifest.redis_url.clone()),
            ("TOKEN_KEYS_FILE", path(&self.secrets.token_keys_file)),
            ("API_KEYS_FILE", path(&self.secrets.api_keys_file)),
            ("SHUTDOWN_GRACE", "5s".to_owned()),
        ]);
        let log = logs().join(format!("{service}-{slot}.log"));
        Ok(Spec { service, slot, program: build::binary(service)?, arguments: Vec::new(), environment, log })
    }

    fn aggregator(&self) -> anyhow::Result<Spec> {
        let own = vec![
            ("DATABASE_URL", self.manifest.database_urls["aggregator"].clone()),
            ("KAFKA_BROKERS", self.manifest.kafka_brokers.clone()),
            ("DERIVE_GRACE", "2s".to_owned()),
        ];
        self.spec("aggregator", 0, self.ports.aggregator, own)
    }

    fn notifier(&self) -> anyhow::Result<Spec> {
        let own = vec![
            ("DATABASE_URL", self.manifest.database_urls["notifier"].clone()),
            ("KAFKA_BROKERS", self.manifest.kafka_brokers.clone()),
            ("SMTP_URL", format!("smtp://{}", self.manifest.smtp)),
            ("PUBLIC_URL", self.manifest.gateways[0].clone()),
            ("SHOP_NAME", "Teemazing".to_owned()),
        ];
        self.spec("notifier", 0, self.ports.notifier, own)
    }

    fn gateway(&self, slot: usize) -> anyhow::Result<Spec> {
        let dist = folder::root().join("web-widget/dist");
        let own = vec![
            ("AGGREGATOR_URLS", self.manifest.aggregator.clone()),
            ("NOTIFIER_URLS", self.manifest.notifier.clone()),
            ("ALLOWED_ORIGINS", self.manifest.gateways.join(",")),
            ("WIDGET_DIR", dist.display().to_string()),
            ("DEMO_SHOP_URL", self.manifest.fakes.clone()),
            ("LIMIT_REQUESTS_PER_SECOND", "20000".to_owned()),
            ("LIMIT_CONNECTIONS_PER_ADDRESS", "20000".to_owned()),
        ];
        self.spec("realtime-gateway", slot, [self.ports.gateways[slot], self.ports.gateway_admin[slot]], own)
    }
}

/// Waits until every service says that it is ready.
async fn ready(manifest: &Manifest) -> anyhow::Result<()> {
    let step = Step::quiet("services ready");
    let client = reqwest::Client::builder().timeout(Duration::from_secs(2)).no_proxy().build()?;
    let mut admin = vec![manifest.admin.aggregator.clone(), manifest.admin.notifier.clone()];
    admin.extend(manifest.admin.gateways.iter().cloned());
    for address in admin {
        let url = format!("{address}/health/ready");
        let mut last = String::new();
        for _ in 0..300 {
            last = match client.get(&url).send().await {
                Ok(answer) if answer.status().is_success() => break,
                Ok(answer) => answer.text().await.unwrap_or_default(),
                Err(error) => error.to_string(),
            };
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let answer = client.get(&url).send().await.with_context(|| format!("{url} does not answer"))?;
        anyhow::ensure!(answer.status().is_success(), "{url}: {last}; see {}", logs().display());
    }
    step.done("");
    Ok(())
}
