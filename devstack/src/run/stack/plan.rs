//! How each process of ours is started: its program and its settings.

use crate::host::term::Step;
use crate::host::{folder, install, port};
use crate::manifest::Manifest;
use crate::run::build;
use crate::run::port::Ports;
use crate::run::secret::Secrets;
use crate::run::supervisor::Spec;
use anyhow::Context;
use std::path::PathBuf;
use tokio::process::Command;

/// Where the output of our processes goes.
pub(super) fn logs() -> PathBuf {
    folder::target().join("logs")
}

/// How each process of ours is started.
pub(super) struct Plan {
    pub(super) manifest: Manifest,
    pub(super) ports: Ports,
    pub(super) secrets: Secrets,
    pub(super) fast: bool,
    /// Folder of the sources without code.
    pub(super) sources: PathBuf,
    /// Settings of the aggregator beside the usual ones.
    pub(super) aggregator: Vec<(&'static str, String)>,
    pub(super) simulate: Vec<String>,
}

impl Plan {
    pub(super) fn fakes(&self) -> anyhow::Result<Spec> {
        let at = |port: u16| format!("127.0.0.1:{port}");
        let mut arguments: Vec<String> =
            ["fakes", "--http", &at(self.ports.fakes), "--smtp", &self.manifest.smtp]
                .iter()
                .map(ToString::to_string)
                .collect();
        arguments.extend(["--gateway".to_owned(), self.manifest.gateways[0].clone()]);
        arguments.extend(self.simulate.iter().cloned());
        let environment = vec![
            ("KAFKA_BROKERS", self.manifest.kafka_brokers.clone()),
            ("API_KEY", self.secrets.api_key.clone()),
            ("WEBHOOK_SECRETS_FILE", self.secrets.webhook_secrets_file.display().to_string()),
        ];
        // Not our own program: a proof starts them too.
        let program = build::binary("devstack")?;
        Ok(Spec {
            service: "fakes",
            slot: 0,
            program,
            arguments,
            environment,
            log: logs().join("fakes.log"),
        })
    }

    pub(super) fn services(&self) -> anyhow::Result<Vec<Spec>> {
        Ok([vec![self.aggregator(0)?.0], self.others()?].concat())
    }

    /// All but the aggregator.
    pub(super) fn others(&self) -> anyhow::Result<Vec<Spec>> {
        let mut all = vec![self.notifier()?];
        for slot in 0..self.ports.gateways.len() {
            all.push(self.gateway(slot)?);
        }
        Ok(all)
    }

    pub(super) async fn migrate(&self) -> anyhow::Result<()> {
        let step = Step::quiet("databases migrated");
        for spec in [self.aggregator(0)?.0, self.notifier()?] {
            let mut command = Command::new(&spec.program);
            command.arg("migrate").env_clear().envs(spec.environment.iter().map(|(k, v)| (k, v)));
            install::quiet(&mut command)
                .await
                .with_context(|| format!("{} migrate failed", spec.service))?;
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
        Ok(Spec {
            service,
            slot,
            program: build::binary(service)?,
            arguments: Vec::new(),
            environment,
            log,
        })
    }

    /// An aggregator, and where it tells whether it is ready.
    pub(super) fn aggregator(&self, slot: usize) -> anyhow::Result<(Spec, String)> {
        let ports = if slot == 0 { self.ports.aggregator } else { port::free()? };
        let fakes = &self.manifest.fakes;
        let mut own = vec![
            ("DATABASE_URL", self.manifest.database_urls["aggregator"].clone()),
            ("KAFKA_BROKERS", self.manifest.kafka_brokers.clone()),
            ("SOURCES_DIR", self.sources.display().to_string()),
            ("GHN_URL", format!("{fakes}/ghn")),
            ("PRINTFUL_URL", format!("{fakes}/printful")),
            ("WEBHOOK_SECRETS_FILE", self.secrets.webhook_secrets_file.display().to_string()),
            ("DERIVE_GRACE", if self.fast { "300ms" } else { "2s" }.to_owned()),
        ];
        own.extend(self.aggregator.iter().cloned());
        own.push(("KAFKA_INSTANCE", slot.to_string()));
        let admin = format!("http://127.0.0.1:{}", ports[1]);
        Ok((self.spec("aggregator", slot, ports, own)?, admin))
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

    /// The gateways' own pages, by either name of this machine.
    fn origins(&self) -> String {
        let named = self.manifest.gateways.iter().map(|g| g.replace("127.0.0.1", "localhost"));
        self.manifest.gateways.iter().cloned().chain(named).collect::<Vec<_>>().join(",")
    }

    fn gateway(&self, slot: usize) -> anyhow::Result<Spec> {
        let dist = folder::root().join("web-widget/dist");
        let own = vec![
            ("AGGREGATOR_URLS", self.manifest.aggregator.clone()),
            ("NOTIFIER_URLS", self.manifest.notifier.clone()),
            ("ALLOWED_ORIGINS", self.origins()),
            ("ALLOWED_HOSTS", "127.0.0.1,localhost".to_owned()),
            ("WIDGET_DIR", dist.display().to_string()),
            ("DEMO_SHOP_URL", self.manifest.fakes.clone()),
            ("LIMIT_REQUESTS_PER_SECOND", "20000".to_owned()),
            ("LIMIT_SOCKETS_PER_ADDRESS", "20000".to_owned()),
            ("LIMIT_CONNECTIONS_PER_ADDRESS", "20000".to_owned()),
            ("LIMIT_CONNECTS_PER_SECOND", "20000".to_owned()),
            ("LIMIT_CONNECTIONS_PER_SUBJECT", "20000".to_owned()),
        ];
        self.spec(
            "realtime-gateway",
            slot,
            [self.ports.gateways[slot], self.ports.gateway_admin[slot]],
            own,
        )
    }
}
