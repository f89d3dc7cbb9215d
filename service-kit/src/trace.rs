//! W3C Trace Context: one trace from the source's record to the viewer's screen.
//!
//! The header is carried through Kafka headers, outbox rows and Redis messages
//! (<https://www.w3.org/TR/trace-context/>, version 00).

use std::fmt;

/// A position in a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: String,
    span_id: String,
    flags: String,
    /// The span that this one is a part of.
    parent_id: Option<String>,
}

impl TraceContext {
    /// A new trace, sampled.
    #[must_use]
    pub fn start() -> Self {
        Self { trace_id: hex(16), span_id: hex(8), flags: "01".to_owned(), parent_id: None }
    }

    /// Reads a `traceparent` header; anything that is not well formed is no context.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let parts: Vec<&str> = header.trim().split('-').collect();
        let [version, trace, span, flags] = parts.as_slice() else {
            return None;
        };
        let good = |text: &str, length| {
            text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        let zero = |text: &str| text.bytes().all(|b| b == b'0');
        let fits = good(version, 2) && good(trace, 32) && good(span, 16) && good(flags, 2);
        if !fits || *version == "ff" || zero(trace) || zero(span) {
            return None;
        }
        let [trace_id, span_id, flags] = [*trace, *span, *flags].map(str::to_owned);
        Some(Self { trace_id, span_id, flags, parent_id: None })
    }

    /// The header's context continued, or a new trace.
    #[must_use]
    pub fn continued(header: Option<&str>) -> Self {
        header.and_then(Self::parse).map_or_else(Self::start, |parent| parent.child())
    }

    /// The next span of the same trace.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { span_id: hex(8), parent_id: Some(self.span_id.clone()), ..self.clone() }
    }

    /// This span's id: 16 hex digits.
    #[must_use]
    pub fn span_id(&self) -> &str {
        &self.span_id
    }

    /// The id of the span that this one is a part of.
    #[must_use]
    pub fn parent_id(&self) -> Option<&str> {
        self.parent_id.as_deref()
    }

    /// Whether somebody wants to see this trace (the lowest bit of the flags).
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        u8::from_str_radix(&self.flags, 16).is_ok_and(|flags| flags & 1 == 1)
    }

    /// The trace's id: 32 hex digits.
    #[must_use]
    pub fn trace_id(&self) -> &str {
        &self.trace_id
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{}", self.trace_id, self.span_id, self.flags)
    }
}

/// Random bytes as hex; the first byte is never zero, so neither is the whole.
fn hex(bytes: usize) -> String {
    let mut text = format!("{:02x}", fastrand::u8(1..));
    (1..bytes).for_each(|_| text.push_str(&format!("{:02x}", fastrand::u8(..))));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_keeps_the_trace_and_changes_the_span() {
        let parent =
            TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        let child = TraceContext::continued(Some(&parent.to_string()));
        assert_eq!(child.trace_id(), parent.trace_id());
        assert_ne!(child, parent);
        assert_eq!(child.parent_id(), Some("00f067aa0ba902b7"));
        assert_eq!(TraceContext::parse(&child.to_string()).unwrap().to_string(), child.to_string());
        assert!(child.is_sampled());
    }

    #[test]
    fn what_is_not_well_formed_starts_a_new_trace() {
        for bad in
            ["", "00-0-0-01", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "\n"]
        {
            assert_eq!(TraceContext::parse(bad), None);
        }
    }
}
