//! One record, read: its drafts, or why it is refused.

use crate::draft::{Draft, OrderRef, Origin};
use crate::metric;
use crate::reject::Refusal;
use crate::source::Catalog;
use crate::store::dead_letter::DeadLetter;
use crate::validate;
use chrono::{DateTime, Utc};
use contract::event::Confidence;
use contract::id::OrderId;
use contract::name::{IMPORTED, MAX_RECORD, SOURCE_PREFIX};
use service_kit::kafka::Record;
use service_kit::span;
use service_kit::trace::TraceContext;
use std::collections::HashMap;
use std::time::SystemTime;

/// A record with what came of reading it.
#[derive(Debug, Clone)]
pub struct Work {
    record: Record,
    received_at: DateTime<Utc>,
    /// The order, as far as it was read.
    order: Option<String>,
    /// Its place in its trace.
    trace: TraceContext,
    began: SystemTime,
    /// The drafts, or the refusal.
    pub result: Result<Vec<Draft>, Refusal>,
}

impl Work {
    /// Reads a record.
    #[must_use]
    pub fn read(catalog: &Catalog, record: Record, now: DateTime<Utc>) -> Self {
        let received_at =
            record.header("received-at").and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        // A receipt in the future would make everything look late.
        let received_at = received_at.map_or(now, |time| time.to_utc().min(now));
        let source = source_of(&record);
        metric::record(source);
        let trace = TraceContext::continued(record.header(contract::name::TRACEPARENT));
        let result = drafts(catalog, &record, source, [received_at, now], &trace);
        let (order, result) = match result {
            Ok(drafts) => (drafts.first().and_then(order_of), Ok(drafts)),
            Err((order, refusal)) => {
                metric::refused(source, refusal.label());
                (order, Err(refusal))
            }
        };
        Self { record, received_at, order, trace, began: now.into(), result }
    }

    /// What came of it is committed: its step of the trace is over.
    pub fn done(&self) {
        if span::is_wanted() {
            let said = vec![("messaging.destination.name", self.record.topic.clone())];
            span::record("record", span::Kind::Take, &self.trace, self.began, said);
        }
    }

    /// The name that it calls its order by, as far as it was read.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.result.as_ref().ok()?.first().map(Draft::named)
    }

    /// The same record, refused.
    #[must_use]
    pub fn refused(&self, refusal: Refusal) -> Self {
        metric::refused(source_of(&self.record), refusal.label());
        Self { result: Err(refusal), ..self.clone() }
    }

    /// The dead letter of a refused record.
    #[must_use]
    pub fn dead_letter(&self) -> Option<DeadLetter> {
        let refusal = self.result.as_ref().err()?;
        Some(DeadLetter {
            source: source_of(&self.record).to_owned(),
            reason: refusal.label().to_owned(),
            detail: refusal.to_string(),
            topic: self.record.topic.clone(),
            partition: self.record.partition,
            position: self.record.offset,
            order_id: self.order.clone(),
            value: self.record.value.clone(),
            headers: headers(&self.record),
            received_at: self.received_at,
        })
    }
}

/// The record's headers as texts.
fn headers(record: &Record) -> HashMap<String, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('\0', "");
    record.headers.iter().map(|(name, value)| (name.replace('\0', ""), text(value))).collect()
}

fn order_of(draft: &Draft) -> Option<String> {
    match &draft.order {
        OrderRef::Order(order) => Some(order.to_string()),
        OrderRef::Alias(_) => None,
    }
}

/// The order that a record names which cannot be read otherwise, where it names one as the shop's own
/// systems do.
fn named_in(value: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Named {
        #[serde(
            alias = "order_number",
            alias = "orderNumber",
            alias = "order",
            alias = "order_ref"
        )]
        order_no: OrderId,
    }
    Some(serde_json::from_slice::<Named>(value).ok()?.order_no.to_string())
}

fn source_of(record: &Record) -> &str {
    record.topic.strip_prefix(SOURCE_PREFIX).unwrap_or(&record.topic)
}

fn drafts(
    catalog: &Catalog,
    record: &Record,
    source: &str,
    [received_at, now]: [DateTime<Utc>; 2],
    trace: &TraceContext,
) -> Result<Vec<Draft>, (Option<String>, Refusal)> {
    if record.value.len() > MAX_RECORD {
        return Err((None, Refusal::TooLarge(record.value.len())));
    }
    // No header: the shop wrote it itself.
    let confidence = match record.header("verification") {
        Some("unsigned") => Confidence::Reported,
        _ => Confidence::Confirmed,
    };
    let read = catalog.read(source, &record.value, &record.headers, received_at, confidence);
    let mut drafts = read.map_err(|refusal| (named_in(&record.value), refusal))?;
    let trace = trace.to_string();
    for draft in &mut drafts {
        draft.received_at = received_at;
        draft.traceparent.clone_from(&trace);
        draft.data.imported = record.header(IMPORTED).is_some();
        draft.origin = Some(Origin {
            topic: record.topic.clone(),
            partition: record.partition,
            offset: record.offset,
        });
        let checked = validate::check(draft, now).map_err(|refusal| (order_of(draft), refusal))?;
        checked.into_iter().for_each(metric::cleaned);
        if draft.data.source_code.is_some() {
            metric::unmapped(source);
        }
    }
    Ok(drafts)
}
