//! What each step of a trace took, for a collector of OpenTelemetry (`OTLP_ENDPOINT`).
//!
//! A span is told when it is over, with the place in the trace that was passed on all the while
//! ([`TraceContext`]). Without a collector nothing is kept; one that is slow or away costs spans, never
//! time.

use crate::clock;
use crate::trace::TraceContext;
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor,
};
use std::borrow::Cow;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

/// How long a collector may take for one batch.
const PATIENCE: Duration = Duration::from_secs(5);

static EXPORT: OnceLock<Export> = OnceLock::new();

struct Export {
    processor: BatchSpanProcessor,
    scope: InstrumentationScope,
}

/// What kind of step it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A request was answered.
    Answer,
    /// A message was taken.
    Take,
}

/// Tells a collector from now on (`http://collector:4318`).
///
/// # Errors
/// When that is no address.
pub fn start(endpoint: &str, service: &str) -> Result<(), String> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .with_timeout(PATIENCE)
        .build()
        .map_err(|error| format!("OTLP_ENDPOINT: {error}"))?;
    let mut processor = BatchSpanProcessor::builder(exporter).build();
    let service = KeyValue::new("service.name", service.to_owned());
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    processor.set_resource(&Resource::builder_empty().with_attributes([service, version]).build());
    let scope = InstrumentationScope::builder("milepost").build();
    // A second call in one process changes nothing.
    let _ = EXPORT.set(Export { processor, scope });
    Ok(())
}

/// Whether anybody is told.
#[must_use]
pub fn is_wanted() -> bool {
    EXPORT.get().is_some()
}

/// A step is over.
pub fn record(
    name: impl Into<Cow<'static, str>>,
    kind: Kind,
    place: &TraceContext,
    began: SystemTime,
    said: Vec<(&'static str, String)>,
) {
    let Some(export) = EXPORT.get().filter(|_| place.is_sampled()) else {
        return;
    };
    let span_id = |id: u64| SpanId::from_bytes(id.to_be_bytes());
    let (trace, own) =
        (TraceId::from_bytes(place.trace_id().to_be_bytes()), span_id(place.span_id()));
    let context = SpanContext::new(trace, own, TraceFlags::SAMPLED, false, TraceState::default());
    export.processor.on_end(SpanData {
        span_context: context,
        parent_span_id: place.parent_id().map_or(SpanId::INVALID, span_id),
        parent_span_is_remote: true,
        span_kind: match kind {
            Kind::Answer => SpanKind::Server,
            Kind::Take => SpanKind::Consumer,
        },
        name: name.into(),
        start_time: began,
        end_time: SystemTime::from(clock::now()).max(began),
        attributes: said.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: export.scope.clone(),
    });
}

/// Tells the collector the rest, at the end of the process.
pub fn stop() {
    if let Some(export) = EXPORT.get() {
        let _ = export.processor.shutdown_with_timeout(PATIENCE);
    }
}
