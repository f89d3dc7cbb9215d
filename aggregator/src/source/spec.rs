//! What there is to say about a source beside its mapping.

use super::record::Record;
use super::table::Code;
use crate::draft::Draft;
use crate::reject::Refusal;
use chrono_tz::Tz;

/// A source that is built in.
pub struct Source {
    /// Name: the topic is `source.<name>`.
    pub name: &'static str,
    /// Whose records they are.
    pub about: &'static str,
    /// Which field names the order, and what else does when it is empty.
    pub order: &'static str,
    /// Which field tells when, and how.
    pub time: &'static str,
    /// Zone of times without an offset.
    pub zone: Tz,
    /// Its documented codes.
    pub table: &'static [Code],
    /// The mapping: pure.
    pub read: fn(&Record<'_>) -> Result<Vec<Draft>, Refusal>,
}
