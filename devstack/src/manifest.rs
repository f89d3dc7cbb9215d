//! `target/devstack/manifest.json`: where everything is, while it runs.

use crate::host::folder::{self, write_private};
use crate::server::Started;
use anyhow::Context;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Where everything is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Manifest {
    /// Public addresses of the gateways.
    pub gateways: Vec<String>,
    /// Public address of the aggregator.
    pub aggregator: String,
    /// Public address of the notifier.
    pub notifier: String,
    /// Addresses of health and metrics.
    pub admin: Admin,
    /// The services' databases.
    pub database_urls: BTreeMap<String, String>,
    /// Redis.
    pub redis_url: String,
    /// Kafka.
    pub kafka_brokers: String,
    /// Key of the shop's back end.
    pub api_key: String,
    /// Key of an operator.
    pub operator_key: String,
    /// The page to open.
    pub demo_page: String,
    /// Control of the fakes.
    pub fakes: String,
    /// The mail sink.
    pub smtp: String,
    /// Secrets that vendors sign with.
    pub webhook_secrets: BTreeMap<String, String>,
    /// Process ids by service.
    pub pids: BTreeMap<String, Vec<i32>>,
    /// The servers that were started.
    pub servers: BTreeMap<String, Started>,
}

/// Addresses of health and metrics by service.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Admin {
    /// The gateways.
    #[serde(rename = "realtime-gateway")]
    pub gateways: Vec<String>,
    /// The aggregator.
    pub aggregator: String,
    /// The notifier.
    pub notifier: String,
}

fn path() -> PathBuf {
    folder::target().join("manifest.json")
}

impl Manifest {
    /// Reads the manifest of the run that is up.
    ///
    /// # Errors
    /// When nothing is up.
    pub fn read() -> anyhow::Result<Self> {
        let text = std::fs::read(path())
            .context("nothing is up (start it with `cargo demo` or `cargo devstack up`)")?;
        serde_json::from_slice(&text).context("the manifest cannot be read")
    }

    /// Removes the manifest from disk.
    pub fn forget() {
        let _ = std::fs::remove_file(path());
    }
}

/// The manifest on disk, kept up to date while processes come and go.
#[derive(Debug, Clone)]
pub struct ManifestFile {
    current: Arc<Mutex<Manifest>>,
}

impl ManifestFile {
    /// Writes the manifest.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn create(manifest: Manifest) -> anyhow::Result<Self> {
        let file = Self { current: Arc::new(Mutex::new(manifest)) };
        file.change(|_| ())?;
        Ok(file)
    }

    /// Changes it; always replaced by rename, so that a reader never sees half of it.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn change(&self, change: impl FnOnce(&mut Manifest)) -> anyhow::Result<()> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut current);
        write_private(&path(), &serde_json::to_string_pretty(&*current)?)
    }

    /// A copy of it.
    #[must_use]
    pub fn get(&self) -> Manifest {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
