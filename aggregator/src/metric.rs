//! Names of the aggregator's metrics, and the functions that count.

use std::time::Duration;

/// Records read, by source.
pub fn record(source: &str) {
    metrics::counter!("aggregator_records_total", "source" => source.to_owned()).increment(1);
}

/// Records refused, by source and reason.
pub fn refused(source: &str, reason: &'static str) {
    let labels = [("source", source.to_owned()), ("reason", reason.to_owned())];
    metrics::counter!("aggregator_refused_total", &labels).increment(1);
}

/// Texts made harmless, by reason.
pub fn cleaned(reason: &'static str) {
    metrics::counter!("aggregator_texts_cleaned_total", "reason" => reason).increment(1);
}

/// What became of events: accepted, duplicate, parked, unparked.
pub fn events(fate: &'static str, count: usize) {
    metrics::counter!("aggregator_events_total", "fate" => fate).increment(count as u64);
}

/// Histories of orders that were remembered, those that another process has added to since, and those that had to
/// be read.
pub fn remembered(hits: usize, behind: usize, misses: usize) {
    for (from, count) in [("memory", hits), ("both", behind), ("database", misses)] {
        metrics::counter!("aggregator_histories_total", "from" => from).increment(count as u64);
    }
}

/// Codes of a vendor that its mapping does not know.
pub fn unmapped(source: &str) {
    metrics::counter!("aggregator_unmapped_codes_total", "source" => source.to_owned())
        .increment(1);
}

/// Calls to systems that are asked, by source and what came of them.
pub fn asked(source: &str, outcome: &'static str) {
    let labels = [("source", source.to_owned()), ("outcome", outcome.to_owned())];
    metrics::counter!("aggregator_asked_total", &labels).increment(1);
}

/// Time of one batch's transaction.
pub fn batch(took: Duration) {
    metrics::histogram!("aggregator_batch_seconds").record(took);
}

/// Batches that were tried again, and why.
pub fn retried(why: &'static str) {
    metrics::counter!("aggregator_batch_retries_total", "why" => why).increment(1);
}

/// Rows published, by side.
pub fn published(side: &'static str, count: usize, oldest: Duration) {
    metrics::counter!("aggregator_published_total", "side" => side).increment(count as u64);
    metrics::histogram!("aggregator_outbox_age_seconds", "side" => side).record(oldest);
}

/// A version that Kafka will never take.
pub fn unpublishable() {
    metrics::counter!("aggregator_unpublishable_total").increment(1);
}

/// Calls of vendors, by source and what became of them: verified, unsigned, or why refused.
pub fn webhook(source: &'static str, outcome: &'static str) {
    metrics::counter!("aggregator_webhooks_total", "source" => source, "outcome" => outcome)
        .increment(1);
}
