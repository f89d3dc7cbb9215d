//! What a source's codes mean.

use super::super::super::table::Meaning;
use contract::milestone::Milestone;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::HashMap;
use std::fmt::Formatter;

/// What the codes mean.
pub(in crate::source::script) type Codes = HashMap<String, Told>;

/// What a code means: a milestone, or one with its marks.
#[derive(Debug)]
pub(in crate::source::script) enum Told {
    Plain(Milestone),
    Marked(Marked),
}

/// By hand: of two shapes, serde's own message would say of neither what is wrong with it.
impl<'de> Deserialize<'de> for Told {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ToldVisitor)
    }
}

struct ToldVisitor;

impl<'de> Visitor<'de> for ToldVisitor {
    type Value = Told;

    fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("a milestone, or { milestone = \"…\", reported, back, reason }")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Told, E> {
        milestone(text).map(Told::Plain).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Told, A::Error> {
        Marked::deserialize(MapAccessDeserializer::new(map)).map(Told::Marked)
    }
}

fn milestone(text: &str) -> Result<Milestone, String> {
    text.parse().map_err(|_| format!("`{text}` is no milestone{}", meant(text)))
}

fn milestone_of<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Milestone, D::Error> {
    milestone(&String::deserialize(deserializer)?).map_err(de::Error::custom)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::source::script) struct Marked {
    #[serde(deserialize_with = "milestone_of")]
    milestone: Milestone,
    #[serde(default)]
    reported: bool,
    #[serde(default)]
    back: bool,
    #[serde(default)]
    reason: Option<String>,
}

impl Told {
    pub(in crate::source::script) fn meaning(&self) -> Meaning {
        match self {
            Self::Plain(milestone) => Meaning::plain(*milestone),
            Self::Marked(told) => {
                Meaning::told(told.milestone, told.reported, told.back, told.reason.clone())
            }
        }
    }
}

/// What somebody may have meant who wrote a milestone's last part.
pub(super) fn meant(text: &str) -> String {
    let ends = |milestone: &&Milestone| milestone.code().split('.').next_back() == Some(text);
    let found = Milestone::ALL.iter().find(ends);
    found.map(|milestone| format!(": is it `{milestone}`?")).unwrap_or_default()
}
