//! What may stand in a source's file.

use super::super::table::Meaning;
use crate::question::{About, Occasion, Question, Template};
use chrono::TimeDelta;
use chrono_tz::Tz;
use contract::milestone::Milestone;
use serde::Deserialize;
use service_kit::config::duration;
use std::collections::{BTreeMap, HashMap};
use toml::Spanned;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) name: String,
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

/// How to ask a system that calls nobody.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Poll {
    /// Address with a place for `{tracking}` or `{order}`.
    url: Spanned<String>,
    /// Body of a POST, with the same place; none: a GET.
    body: Option<String>,
    /// Header that takes the secret.
    header: Option<String>,
    /// What stands before the secret.
    #[serde(default)]
    prefix: String,
    /// Carrier whose parcels are asked about; the source itself.
    carrier: Option<String>,
    /// How often at any stage that is not named; none: not at all.
    every: Option<Spanned<String>>,
    /// How often, by milestone or phase.
    #[serde(default)]
    stages: BTreeMap<String, Spanned<String>>,
    /// Most calls in a second.
    #[serde(default = "five")]
    per_second: u32,
}

const fn five() -> u32 {
    5
}

impl File {
    /// What the system is to be asked; none when it calls by itself.
    pub(super) fn question(&self, text: &str) -> Result<Option<Question>, (usize, String)> {
        let Some(poll) = &self.poll else { return Ok(None) };
        let url = poll.url.get_ref();
        let wrong = |what| (line_of(text, poll.url.span().start), what);
        Template::check(url).map_err(wrong)?;
        let stages =
            poll.stages.iter().map(|(stage, every)| Ok((stage.clone(), interval(text, every)?)));
        let every = poll.every.as_ref().map(|every| interval(text, every)).transpose()?;
        let carrier = poll.carrier.clone().unwrap_or_else(|| self.name.clone());
        let about = if url.contains("{order}") { About::Order } else { About::Parcel(carrier) };
        Ok(Some(Question {
            source: self.name.clone(),
            template: Template {
                url: url.clone(),
                body: poll.body.clone(),
                header: poll.header.clone().map(|header| (header, poll.prefix.clone())),
            },
            about,
            occasion: Occasion::Polls { stages: stages.collect::<Result<_, _>>()?, every },
            per_second: poll.per_second.clamp(1, 100),
        }))
    }
}

/// `30s`, `20m`, `6h`: no system is asked about one thing more than once a second.
fn interval(text: &str, told: &Spanned<String>) -> Result<TimeDelta, (usize, String)> {
    let wrong = |what: String| (line_of(text, told.span().start), what);
    let read = duration(told.get_ref()).map_err(wrong)?;
    let read = TimeDelta::from_std(read).map_err(|error| wrong(error.to_string()))?;
    if (TimeDelta::seconds(1)..=TimeDelta::days(30)).contains(&read) {
        Ok(read)
    } else {
        Err(wrong("1s to 30d".to_owned()))
    }
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

/// What the codes mean.
pub(super) type Codes = HashMap<String, Told>;

/// What a code means: a milestone, or one with its marks.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Told {
    Plain(Milestone),
    Marked(Marked),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Marked {
    milestone: Milestone,
    #[serde(default)]
    reported: bool,
    #[serde(default)]
    back: bool,
    #[serde(default)]
    reason: Option<String>,
}

impl Told {
    pub(super) fn meaning(&self) -> Meaning {
        match self {
            Self::Plain(milestone) => Meaning::plain(*milestone),
            Self::Marked(told) => {
                Meaning::told(told.milestone, told.reported, told.back, told.reason.clone())
            }
        }
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
        if file.name.is_empty() || file.name.len() > 32 || !file.name.bytes().all(plain) {
            return Err((1, "name: 1 to 32 of a-z 0-9 -".to_owned()));
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
