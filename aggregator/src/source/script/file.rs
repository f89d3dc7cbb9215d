//! What may stand in a source's file.

mod code;
mod poll;

use crate::draft::DERIVED_SOURCE;
use chrono_tz::Tz;
pub(super) use code::Codes;
use poll::Poll;
use serde::Deserialize;
use toml::Spanned;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) name: Spanned<String>,
    #[serde(default = "viet_nam")]
    pub(super) zone: Tz,
    #[serde(default)]
    pub(super) webhook: Option<Webhook>,
    #[serde(default)]
    poll: Option<Poll>,
    pub(super) read: Fields,
    pub(super) codes: Codes,
}

const fn viet_nam() -> Tz {
    Tz::Asia__Ho_Chi_Minh
}

/// How a webhook is signed.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "scheme", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Webhook {
    /// HMAC-SHA256 of the body in a header.
    Hmac {
        /// Name of the header, lower case.
        header: String,
        /// What stands before the signature.
        #[serde(default)]
        prefix: String,
        /// `hex` or `base64`.
        #[serde(default)]
        base64: bool,
    },
    /// `t=…,v1=…` in a header.
    Timestamped {
        /// Name of the header, lower case.
        header: String,
    },
    /// Standard Webhooks.
    Standard,
    /// A shared secret in a header.
    Header {
        /// Name of the header, lower case.
        header: String,
    },
    /// A shared secret in a field of the body.
    Body {
        /// Name of the field.
        field: String,
    },
    /// A secret in the address: the vendor does not sign.
    Address,
}

/// Where the fields are: filters of the jq language over the body, or over each of `each`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields {
    pub(super) each: Option<Spanned<String>>,
    status: Spanned<String>,
    time: Spanned<String>,
    order: Option<Spanned<String>>,
    tracking: Option<Spanned<String>>,
    alias: Option<Spanned<String>>,
    id: Option<Spanned<String>>,
    carrier: Option<Spanned<String>>,
    shipment: Option<Spanned<String>>,
    line: Option<Spanned<String>>,
    location: Option<Spanned<String>>,
    reason: Option<Spanned<String>>,
    note: Option<Spanned<String>>,
    eta_earliest: Option<Spanned<String>>,
    eta_latest: Option<Spanned<String>>,
    amount: Option<Spanned<String>>,
    currency: Option<Spanned<String>>,
    corrects: Option<Spanned<String>>,
}

impl Fields {
    /// The filters that are there, by the names of their fields.
    pub(super) fn fields(&self) -> Vec<(&'static str, &Spanned<String>)> {
        let optional = [
            ("order", &self.order),
            ("tracking", &self.tracking),
            ("alias", &self.alias),
            ("id", &self.id),
            ("carrier", &self.carrier),
            ("shipment", &self.shipment),
            ("line", &self.line),
            ("location", &self.location),
            ("reason", &self.reason),
            ("note", &self.note),
            ("eta_earliest", &self.eta_earliest),
            ("eta_latest", &self.eta_latest),
            ("amount", &self.amount),
            ("currency", &self.currency),
            ("corrects", &self.corrects),
        ];
        let there =
            optional.into_iter().filter_map(|(name, filter)| Some((name, filter.as_ref()?)));
        [("status", &self.status), ("time", &self.time)].into_iter().chain(there).collect()
    }
}

impl File {
    /// Reads a file's text.
    pub(super) fn parse(text: &str) -> Result<Self, (usize, String)> {
        let file: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(0, |span| line_of(text, span.start));
            (line, error.message().to_owned())
        })?;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let (name, line) = (file.name.get_ref(), line_of(text, file.name.span().start));
        if name.is_empty() || name.len() > 32 || !name.bytes().all(plain) {
            return Err((line, "name: 1 to 32 of a-z 0-9 -".to_owned()));
        }
        if name == DERIVED_SOURCE {
            return Err((line, format!("name: {name} is what the clock is called")));
        }
        if file.read.order.is_none() && file.read.tracking.is_none() && file.read.alias.is_none() {
            return Err((1, "[read] names no order: order, tracking or alias".to_owned()));
        }
        Ok(file)
    }
}

/// The line of a place in a text, from 1.
pub(super) fn line_of(text: &str, place: usize) -> usize {
    text.get(..place).unwrap_or(text).matches('\n').count() + 1
}
