//! W3C Trace Context: one trace from the source's record to the viewer's screen.
//!
//! The header is carried through Kafka headers, outbox rows and Redis messages
//! (<https://www.w3.org/TR/trace-context/>, version 00).

use std::fmt;

/// A position in a trace. Numbers, not texts: every record has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
    flags: u8,
    /// The span that this one is a part of.
    parent_id: Option<u64>,
}

impl TraceContext {
    /// A new trace, sampled.
    #[must_use]
    pub fn start() -> Self {
        Self {
            trace_id: fastrand::u128(1..),
            span_id: fastrand::u64(1..),
            flags: 1,
            parent_id: None,
        }
    }

    /// Reads a `traceparent` header; anything that is not well formed is no context.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let mut parts = header.trim().split('-');
        let version = hex(parts.next()?, 2)?;
        let trace_id = hex(parts.next()?, 32)?;
        let span_id = u64::try_from(hex(parts.next()?, 16)?).ok()?;
        let flags = u8::try_from(hex(parts.next()?, 2)?).ok()?;
        if parts.next().is_some() || version == 0xff || trace_id == 0 || span_id == 0 {
            return None;
        }
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
        Self { span_id: fastrand::u64(1..), parent_id: Some(self.span_id), ..*self }
    }

    /// This span's id; never 0.
    #[must_use]
    pub const fn span_id(&self) -> u64 {
        self.span_id
    }

    /// The id of the span that this one is a part of.
    #[must_use]
    pub const fn parent_id(&self) -> Option<u64> {
        self.parent_id
    }

    /// Whether somebody wants to see this trace (the lowest bit of the flags).
    #[must_use]
    pub const fn is_sampled(&self) -> bool {
        self.flags & 1 == 1
    }

    /// The trace's id; never 0.
    #[must_use]
    pub const fn trace_id(&self) -> u128 {
        self.trace_id
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

/// So many digits, lower case, and nothing else (not the sign that Rust reads too).
fn hex(text: &str, digits: usize) -> Option<u128> {
    let good = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    if text.len() != digits || !text.bytes().all(good) {
        return None;
    }
    u128::from_str_radix(text, 16).ok()
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
        assert_eq!(child.parent_id(), Some(0x00f0_67aa_0ba9_02b7));
        assert_eq!(TraceContext::parse(&child.to_string()).unwrap().to_string(), child.to_string());
        assert!(child.is_sampled());
        let unwanted = "00-00000000000000000000000000000001-0000000000000001-00";
        let unwanted = TraceContext::parse(unwanted).unwrap();
        assert!(!unwanted.is_sampled());
        assert_eq!(unwanted.to_string(), "00-00000000000000000000000000000001-0000000000000001-00");
    }

    #[test]
    fn what_is_not_well_formed_starts_a_new_trace() {
        for bad in [
            "",
            "\n",
            "00-0-0-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-00",
        ] {
            assert_eq!(TraceContext::parse(bad), None);
        }
    }
}
