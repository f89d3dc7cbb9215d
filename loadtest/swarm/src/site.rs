//! The servers of one scenario: started for it on their core, ended with it.

use crate::cpu::{self, MEASURED, Usage};
use crate::crowd::Crowd;
use crate::feed::{self, Bus};
use crate::host::{API_KEY, Behind, Host, Signed};
use crate::owner::Owner;
use crate::peer::{Centrifugo, Milepost, Peer, Wish};
use crate::socket::Socket;
use crate::truth::Truth;
use anyhow::Context;
use devstack::host::port;
use devstack::host::process::Identity;
use nix::sys::signal::Signal;
use service_kit::live_bus::LivePublisher;
use service_kit::redis;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// Who is measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Who {
    /// Our gateway, so many of them.
    Milepost { gateways: usize },
    /// Centrifugo, its program given by path.
    Centrifugo(PathBuf),
}

/// By which addresses Redis is reached; several are a cluster.
pub(crate) struct Way {
    pub(crate) publisher: Vec<String>,
    pub(crate) gateway: Vec<String>,
    /// How many connections an address may have; none: any number.
    pub(crate) per_address: Option<u32>,
}

/// A program of the scenario.
pub(crate) struct Program {
    address: SocketAddr,
    identity: Identity,
    _child: Child,
}

/// The servers of one scenario.
pub(crate) struct Site<'a> {
    pub(crate) host: &'a Host,
    pub(crate) programs: Vec<Program>,
    pub(crate) bus: Bus,
    pub(crate) truth: Truth,
    pub(crate) owner: Owner,
    behind: Behind,
    peer: Arc<dyn Peer>,
}

impl<'a> Site<'a> {
    /// Starts what is measured on its core, with channels that have a state each.
    pub(crate) fn start(host: &'a Host, who: &Who, truth: Truth) -> anyhow::Result<Self> {
        let way =
            Way { publisher: vec![host.redis()], gateway: vec![host.redis()], per_address: None };
        Self::by(host, who, truth, &way)
    }

    /// The same, with Redis reached otherwise.
    pub(crate) fn by(host: &'a Host, who: &Who, truth: Truth, way: &Way) -> anyhow::Result<Self> {
        host.flush()?;
        let owner = host.runtime.block_on(Owner::serve(truth.clone()))?;
        let (peer, bus): (Arc<dyn Peer>, Bus) = match who {
            Who::Milepost { .. } => {
                let publisher =
                    host.runtime.block_on(async { LivePublisher::new(&way.publisher) })?;
                (Arc::new(Milepost), Bus::Milepost(publisher))
            }
            Who::Centrifugo(_) => {
                let connection = host.runtime.block_on(async { redis::connect(&way.publisher) })?;
                (Arc::new(Centrifugo), Bus::Centrifugo(connection))
            }
        };
        let (redis, owner_url) = (way.gateway.join(","), owner.url.clone());
        let behind = Behind { redis, owner: owner_url, per_address: way.per_address };
        let mut site = Self { host, programs: Vec::new(), bus, truth, owner, behind, peer };
        feed::seed(&site.bus, &site.truth, host.clock)?;
        match who {
            Who::Milepost { gateways } => (0..*gateways).try_for_each(|_| site.add_gateway())?,
            Who::Centrifugo(path) => {
                let program = site.run(path.clone(), "centrifugo", |command, port| {
                    host.centrifugo(command, port)
                })?;
                site.programs.push(program);
            }
        }
        Ok(site)
    }

    /// Starts one more of our gateways.
    pub(crate) fn add_gateway(&mut self) -> anyhow::Result<()> {
        let host = self.host;
        let program = self.run(host.gateway.clone(), "realtime-gateway", |command, port| {
            host.gateway(command, port, &self.behind)
        })?;
        self.programs.push(program);
        Ok(())
    }

    /// Starts a program on the measured core and waits until it says that it is ready.
    fn run(
        &self,
        path: PathBuf,
        what: &str,
        configure: impl FnOnce(&mut Command, u16) -> anyhow::Result<String>,
    ) -> anyhow::Result<Program> {
        let [own] = port::free()?;
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", &MEASURED.to_string()]).arg(path);
        let health = configure(&mut command, own)?;
        let _inside = self.host.runtime.enter();
        let (child, identity) = self.host.register.spawn(what, &mut command)?;
        let address = SocketAddr::from(([127, 0, 0, 1], own));
        self.host.runtime.block_on(ready(&health, what, &identity))?;
        Ok(Program { address, identity, _child: child })
    }

    /// Where viewers connect to.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.programs.iter().map(|program| program.address)
    }

    /// A crowd that connects to the programs in turn.
    pub(crate) fn crowd(&self) -> anyhow::Result<Crowd> {
        Crowd::new(self.peer.clone(), self.addresses().collect(), self.host.clock)
    }

    /// A crowd of which each viewer watches a channel of its own, connected and quiet.
    pub(crate) fn own_channels(&self, viewers: usize) -> anyhow::Result<Crowd> {
        let mut crowd = self.crowd()?;
        for number in 0..viewers {
            crowd.add(self.wish(number % self.truth.channels(), Signed::Hs256)?);
        }
        crowd.connect_all(500, Duration::from_mins(2))?;
        crowd.tally = crate::tally::Tally::default();
        Ok(crowd)
    }

    /// The wish for a channel, with its token.
    pub(crate) fn wish(&self, channel: usize, signed: Signed) -> anyhow::Result<Wish> {
        Ok(Wish { channel, token: self.host.token(channel, signed)? })
    }

    /// What all programs have used.
    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        cpu::total(&self.programs.iter().map(|p| p.identity.pid).collect::<Vec<_>>())
    }

    /// Viewers that have not the newest state.
    pub(crate) fn stale(&self, crowd: &Crowd) -> usize {
        let behind = |socket: &&Socket| socket.version < self.truth.newest(socket.wish.channel);
        crowd.sockets.iter().filter(behind).count()
    }

    /// Shuts out the customer of a channel, by the first gateway.
    pub(crate) fn revoke(&self, channel: usize) -> anyhow::Result<()> {
        let address = self.addresses().next().context("no gateway")?;
        let body = serde_json::json!({"subject": format!("C-{channel}")});
        let client = reqwest::Client::builder().no_proxy().build()?;
        let request = client.post(format!("http://{address}/v1/tokens/revoke"));
        let answer = request.bearer_auth(API_KEY).json(&body).send();
        let answer = self.host.runtime.block_on(answer)?.error_for_status()?;
        anyhow::ensure!(answer.status() == 204, "it is not taken away: {}", answer.status());
        Ok(())
    }

    /// Sends a program a signal.
    pub(crate) fn signal(&self, number: usize, signal: Signal) -> anyhow::Result<()> {
        let program = self.programs.get(number).context("no such program")?;
        program.identity.signal(signal);
        Ok(())
    }
}

/// Waits until a program says that all it needs is there.
async fn ready(health: &str, what: &str, identity: &Identity) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        match client.get(health).send().await {
            Ok(answer) if answer.status().is_success() => return Ok(()),
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
        anyhow::ensure!(identity.alive() && Instant::now() < end, "{what} does not get ready");
    }
}

impl Program {
    /// Whether it runs.
    pub(crate) fn alive(&self) -> bool {
        self.identity.alive()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Gone for good: the next scenario needs its core.
        self.identity.signal(Signal::SIGKILL);
        while self.identity.alive() {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
