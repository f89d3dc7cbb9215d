//! Logs (JSON lines for machines, pretty ones for people) and Prometheus metrics.
//!
//! Rules: a message reads alone, what it names is repeated as fields, and no name, address,
//! phone number, e-mail address, token or body is ever in it.

use crate::config::Common;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::OnceLock;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Buckets of every `*_seconds` histogram.
const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 300.0,
];

/// Starts logging as the settings say. A second call in one process changes nothing.
pub fn start(config: &Common) {
    let filter = EnvFilter::try_new(&config.log).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if config.log_format == "json" {
        builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    } else {
        builder.with_target(false).compact().try_init()
    };
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
}

/// The process's metrics, for `/metrics`.
pub fn metrics() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS);
        match builder {
            Ok(builder) => builder.install_recorder().unwrap_or_else(|_| unrecorded()),
            Err(_) => unrecorded(),
        }
    })
}

/// Sorts what histograms have recorded into their buckets, again and again: until then every value is
/// kept, and nobody may ever ask for them.
pub async fn upkeep() {
    loop {
        tokio::time::sleep(Duration::from_secs(2)).await;
        metrics().run_upkeep();
    }
}

/// A handle of its own, when another recorder was installed first.
fn unrecorded() -> PrometheusHandle {
    PrometheusBuilder::new().build_recorder().handle()
}
