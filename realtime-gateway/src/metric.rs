//! Names of the gateway's metrics, and the functions that count.

use chrono::{DateTime, Utc};
use metrics::{Counter, Histogram};
use std::sync::LazyLock;
use std::time::Duration;

/// A viewer came or went.
pub fn viewers(transport: &'static str, change: f64) {
    metrics::gauge!("gateway_viewers", "transport" => transport).increment(change);
}

/// Somebody wanted a live connection, and what came of it: `welcome`, or why not.
pub fn connect(transport: &'static str, outcome: &'static str) {
    metrics::counter!("gateway_connects_total", "transport" => transport, "outcome" => outcome)
        .increment(1);
}

/// A connection ended, and why.
pub fn closed(transport: &'static str, why: &'static str) {
    metrics::counter!("gateway_closed_total", "transport" => transport, "why" => why).increment(1);
}

/// Something of a client was refused, and why.
pub fn refused(why: &'static str) {
    metrics::counter!("gateway_refused_total", "why" => why).increment(1);
}

/// A state came over the bus; how long after it was published.
pub fn received(age: Duration) {
    static AGE: LazyLock<Histogram> =
        LazyLock::new(|| metrics::histogram!("gateway_bus_age_seconds"));
    AGE.record(age);
}

/// A state was written to a viewer's socket; how long after it was published.
pub fn written(age: Duration) {
    static LAG: LazyLock<Histogram> =
        LazyLock::new(|| metrics::histogram!("gateway_publish_to_socket_seconds"));
    LAG.record(age);
}

/// The numbers of the bus were read.
pub fn probed(at: DateTime<Utc>) {
    let at = f64::from(u32::try_from(at.timestamp()).unwrap_or(0));
    metrics::gauge!("gateway_probe_timestamp_seconds").set(at);
}

/// A channel was entered or left.
pub fn subscriptions(change: f64) {
    metrics::gauge!("gateway_subscriptions").increment(change);
}

/// States that went to viewers.
pub fn delivered(count: usize) {
    static STATES: LazyLock<Counter> =
        LazyLock::new(|| metrics::counter!("gateway_delivered_total"));
    STATES.increment(count as u64);
}

/// A viewer's queue was full: it gets the newest state later.
pub fn conflated() {
    metrics::counter!("gateway_conflated_total").increment(1);
}

/// States that wait in viewers' queues, and how long they are together, in bytes. Viewers of one
/// channel wait for one and the same.
#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
pub fn waiting(states: usize, bytes: usize) {
    metrics::gauge!("gateway_queue_states").set(states as f64);
    metrics::gauge!("gateway_queue_bytes").set(bytes as f64);
}

/// The gateway is going away: its viewers are being sent to others.
pub fn draining() {
    metrics::gauge!("gateway_draining").set(1.0);
}

/// A shard lost something, and how that was noticed.
pub fn gap(noticed_by: &'static str) {
    metrics::counter!("gateway_gaps_total", "noticed_by" => noticed_by).increment(1);
}

/// Channels that were read again.
pub fn repaired(count: usize) {
    metrics::counter!("gateway_repaired_total").increment(count as u64);
}

/// Where a snapshot came from.
pub fn snapshot(source: &'static str) {
    metrics::counter!("gateway_snapshots_total", "source" => source).increment(1);
}

/// What became of a request to a service: `answered`, `failed`, or `left_alone` without being sent.
pub fn upstream(service: &'static str, outcome: &'static str) {
    let labels = [("service", service), ("outcome", outcome)];
    metrics::counter!("gateway_upstream_requests_total", &labels).increment(1);
}

/// Instances of a service that are left alone since they do not answer.
pub fn instances_left_alone(service: &'static str, change: f64) {
    metrics::gauge!("gateway_upstream_left_alone", "service" => service).increment(change);
}
