//! Names of the notifier's metrics, and the functions that count.

use std::time::Duration;

/// A message that was planned, read again, or could not be read.
pub fn message(fate: &'static str) {
    metrics::counter!("notifier_messages_total", "fate" => fate).increment(1);
}

/// A delivery reached its end.
pub fn ended(channel: &str, state: &'static str, reason: &str) {
    let labels = [
        ("channel", channel.to_owned()),
        ("state", state.to_owned()),
        ("reason", reason.to_owned()),
    ];
    metrics::counter!("notifier_deliveries_total", &labels).increment(1);
}

/// An attempt, what came of it, and how long it took.
pub fn attempt(channel: &str, outcome: &'static str, took: Duration) {
    let labels = [("channel", channel.to_owned()), ("outcome", outcome.to_owned())];
    metrics::histogram!("notifier_attempt_seconds", &labels).record(took);
}

/// From the event's acceptance to the provider's.
pub fn told_after(channel: &str, took: Duration) {
    metrics::histogram!("notifier_event_to_accept_seconds", "channel" => channel.to_owned())
        .record(took);
}

/// A delivery missed its deadline.
pub fn missed(channel: &str) {
    metrics::counter!("notifier_deadline_missed_total", "channel" => channel.to_owned())
        .increment(1);
}
