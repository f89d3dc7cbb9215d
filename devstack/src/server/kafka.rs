//! Apache Kafka in `KRaft` mode: broker and controller in one process, one copy of everything.

use super::{Server, launch, wait_ready};
use crate::host::folder::DataFolder;
use crate::host::install::{self, quiet};
use crate::host::port;
use crate::host::process::Register;
use crate::host::term::Step;
use contract::name::MAX_MESSAGE;
use nix::sys::signal::Signal;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use std::path::Path;
use std::time::Duration;
use tokio::process::Command;

/// Any 16 bytes in base64url will do: the data is new each time.
const CLUSTER_ID: &str = "bWlsZXBvc3QtZGV2LTAwMQ";

pub(super) async fn start(
    folder: &DataFolder,
    register: &Register,
) -> anyhow::Result<(String, Option<Server>)> {
    let libs = install::kafka().await?;
    install::debian("java", &["openjdk-17-jre-headless"]).await?;
    let step = Step::quiet("Kafka");
    let data = folder.fresh("kafka", None)?;
    let [port, controller] = port::free()?;
    let properties = data.join("server.properties");
    std::fs::write(&properties, server_properties(port, controller, &data))?;
    let classpath = format!("{}/*", libs.display());
    let mut format = Command::new("java");
    format
        .args(["-cp", &classpath, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c"])
        .arg(&properties);
    quiet(&mut format).await?;
    // It lives for minutes: what the second compiler would win, its own work eats.
    let java = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xms128m", "-Xmx512m"];
    let program = ["-cp", &classpath, "kafka.Kafka"];
    let argv = java.iter().chain(&program).map(ToString::to_string);
    let argv = argv.chain([properties.display().to_string()]).collect();
    let log = folder.path().join("kafka.log");
    let server = launch(register, "Kafka", argv, Signal::SIGTERM, &log, None)?;
    let brokers = format!("127.0.0.1:{port}");
    wait_ready(&server, &log, async || answers(&brokers).await).await?;
    step.done(&format!("on {brokers}"));
    Ok((brokers, Some(server)))
}

/// Does the broker give its metadata?
async fn answers(brokers: &str) -> bool {
    if tokio::net::TcpStream::connect(brokers).await.is_err() {
        return false;
    }
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("broker.address.family", "v4")
        .set("log_level", "2");
    let asked = tokio::task::spawn_blocking(move || {
        let client: Result<BaseConsumer, _> = config.create();
        client.is_ok_and(|c| {
            c.fetch_metadata(None, Duration::from_secs(1)).is_ok_and(|m| !m.brokers().is_empty())
        })
    });
    asked.await.unwrap_or(false)
}

fn server_properties(port: u16, controller: u16, data: &Path) -> String {
    let logs = data.join("logs");
    format!(
        "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}\ncontroller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\n\
         log.dirs={}\nmessage.max.bytes={MAX_MESSAGE}\nreplica.fetch.max.bytes={MAX_MESSAGE}\n\
         num.partitions=4\nauto.create.topics.enable=true\noffsets.topic.replication.factor=1\n\
         offsets.topic.num.partitions=4\ntransaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\nshare.coordinator.state.topic.replication.factor=1\n\
         share.coordinator.state.topic.min.isr=1\ngroup.initial.rebalance.delay.ms=0\n\
         log.segment.bytes=67108864\n",
        logs.display()
    )
}
