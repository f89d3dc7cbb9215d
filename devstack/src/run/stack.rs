//! The whole product on this machine: servers, databases, services, fakes, manifest.

mod database;
mod plan;
mod ready;

use super::build;
use super::example;
use super::port::Ports;
use super::secret::Secrets;
use super::supervisor::{Kept, Supervisor};
use crate::host::folder::DataFolder;
use crate::host::install;
use crate::host::process::Register;
use crate::host::term;
use crate::manifest::{Admin, Manifest, ManifestFile};
use crate::server::{Given, Servers};
use service_kit::lifecycle::Lifecycle;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
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
    /// None of them is started yet: [`Stack::aggregator`] and [`Stack::others`] do that.
    pub held: bool,
    /// Lives are so fast that an order is quiet for a fraction of a second only.
    pub fast: bool,
    /// Settings of the aggregator beside the usual ones.
    pub aggregator: Vec<(&'static str, String)>,
    /// Arguments of the simulated shop, given to the fakes.
    pub simulate: Vec<String>,
}

/// A running stack.
pub struct Stack {
    /// Where everything is.
    pub manifest: ManifestFile,
    /// Ends everything of ours.
    pub life: Lifecycle,
    crew: Crew,
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
            Ok((crew, life, servers)) => {
                let manifest = crew.supervisor.manifest.clone();
                Ok(Self { manifest, life, crew, servers, folder })
            }
            Err(error) => {
                register.end_all().await;
                Manifest::forget();
                folder.remove();
                Err(error)
            }
        }
    }

    /// Starts everybody but the aggregator, and waits until they are ready.
    ///
    /// # Errors
    /// When one of them does not get ready.
    pub async fn others(&self) -> anyhow::Result<()> {
        for spec in self.crew.plan.others()? {
            self.crew.supervisor.keep(spec)?;
        }
        ready::others(&self.manifest.get()).await
    }

    /// Starts an aggregator, and waits until it is ready; the first one is slot 0.
    ///
    /// # Errors
    /// When it does not get ready.
    pub async fn aggregator(&self, slot: usize) -> anyhow::Result<Kept> {
        self.aggregator_with(slot, []).await
    }

    /// The same, with some settings of its own.
    ///
    /// # Errors
    /// When it does not get ready.
    pub async fn aggregator_with(
        &self,
        slot: usize,
        settings: impl IntoIterator<Item = (&'static str, String)>,
    ) -> anyhow::Result<Kept> {
        let (mut spec, admin) = self.crew.plan.aggregator(slot)?;
        spec.environment.extend(settings);
        let kept = self.crew.supervisor.keep(spec)?;
        ready::one(&admin).await?;
        Ok(kept)
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

/// Who starts our processes, and how.
struct Crew {
    plan: plan::Plan,
    supervisor: Supervisor,
}

async fn start(
    options: &Options,
    folder: &DataFolder,
    register: Arc<Register>,
) -> anyhow::Result<(Crew, Lifecycle, Servers)> {
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

/// Returns on Ctrl-C or SIGTERM.
pub async fn interrupted() {
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
) -> anyhow::Result<Crew> {
    let ports = Ports::find(options.port)?;
    let secrets = Secrets::create(folder)?;
    let database_urls = database::databases(&servers.postgres_url).await?;
    let manifest = ManifestFile::create(describe(&ports, &secrets, servers, database_urls))?;
    let supervisor = Supervisor { life: life.clone(), register, manifest: manifest.clone() };
    let sources = example::sources(folder, &manifest.get().fakes)?;
    let plan = plan::Plan {
        manifest: manifest.get(),
        sources,
        aggregator: options.aggregator.clone(),
        ports,
        secrets,
        fast: options.fast,
        simulate: options.simulate.clone(),
    };
    std::fs::create_dir_all(plan::logs())?;
    supervisor.keep(plan.fakes()?)?;
    if options.services {
        plan.migrate().await?;
    }
    if options.services && !options.held {
        for spec in plan.services()? {
            supervisor.keep(spec)?;
        }
        ready::all(&manifest.get()).await?;
    }
    Ok(Crew { plan, supervisor })
}

fn describe(
    ports: &Ports,
    secrets: &Secrets,
    servers: &Servers,
    urls: BTreeMap<String, String>,
) -> Manifest {
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
        webhook_secrets: secrets.webhook_secrets.clone(),
        pids: BTreeMap::new(),
        servers: own.collect(),
    }
}
