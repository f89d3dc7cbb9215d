//! What a source reads: the bytes, their headers, and what this shop does differently.

use super::doc::Doc;
use super::field::order;
use crate::draft::OrderRef;
use crate::reject::Refusal;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use contract::milestone::Milestone;
use serde::Deserialize;
use std::collections::HashMap;

/// Where one shop differs from a vendor's habits; from `SOURCES_DIR/options.toml`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Dotted path of the field that names the order.
    pub order: Option<String>,
    /// Zone of the vendor's times that carry no offset.
    pub zone: Option<Tz>,
    /// Codes that mean something else here, or that the vendor's table does not know.
    pub codes: HashMap<String, Milestone>,
}

/// One record of a source.
#[derive(Clone, Copy)]
pub struct Record<'a> {
    /// The body, untouched.
    pub value: &'a [u8],
    /// Headers of the record, lower case.
    pub headers: &'a HashMap<String, Vec<u8>>,
    /// When it was received.
    pub received_at: DateTime<Utc>,
    /// Where the shop differs.
    pub options: &'a Options,
    /// Zone of local times.
    pub zone: Tz,
}

impl Record<'_> {
    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The order, by the field that the shop names, else by the vendor's fields, else by an alias
    /// that another event tells. Where there is an alias, it is surer than a second field, which may hold
    /// another system's number; where there is none, the first field that can be one is taken.
    pub(super) fn order(
        &self,
        doc: Doc<'_>,
        fields: &[&str],
        alias: Option<String>,
    ) -> Result<OrderRef, Refusal> {
        let paths = self.options.order.as_deref().into_iter().chain(fields.iter().copied());
        let (mut refused, most) = (None, if alias.is_some() { 1 } else { usize::MAX });
        for text in paths.filter_map(|path| doc.text(path)).take(most) {
            // Shops write `#1001` for 1001.
            match order(text.trim_start_matches('#')) {
                Ok(order) => return Ok(order),
                Err(refusal) => refused = refused.or(Some(refusal)),
            }
        }
        let missing = || Refusal::BadId(format!("`{}` is missing", fields.join("`, `")));
        alias.map(OrderRef::Alias).ok_or_else(|| refused.unwrap_or_else(missing))
    }
}
