//! How a system that calls nobody is asked.

use super::code::meant;
use super::{File, line_of};
use crate::question::{About, Occasion, Question, Template};
use axum::http::HeaderName;
use chrono::TimeDelta;
use contract::milestone::Milestone;
use serde::Deserialize;
use service_kit::config::duration;
use std::collections::BTreeMap;
use toml::Spanned;

/// How to ask a system that calls nobody.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Poll {
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
    pub(in crate::source::script) fn question(
        &self,
        text: &str,
    ) -> Result<Option<Question>, (usize, String)> {
        let Some(poll) = &self.poll else { return Ok(None) };
        let url = poll.url.get_ref();
        let wrong = |what| (line_of(text, poll.url.span().start), what);
        let template = poll.template();
        template.check().and_then(|()| poll.check()).map_err(wrong)?;
        let stages = poll.stages.iter().map(|(stage, every)| {
            let line = line_of(text, every.span().start);
            stage_is_one(stage).map_err(|what| (line, what))?;
            Ok((stage.clone(), interval(text, every)?))
        });
        let every = poll.every.as_ref().map(|every| interval(text, every)).transpose()?;
        let by_order = [Some(url), poll.body.as_ref()].into_iter().flatten();
        let by_order = by_order.into_iter().any(|text| text.contains("{order}"));
        let about = if by_order { About::Order } else { About::Parcel(self.carrier()) };
        Ok(Some(Question {
            source: self.name.get_ref().clone(),
            template,
            about,
            occasion: Occasion::Polls { stages: stages.collect::<Result<_, _>>()?, every },
            per_second: poll.per_second,
        }))
    }

    /// Whose parcels it tells of.
    pub(in crate::source::script) fn carrier(&self) -> String {
        let told = self.poll.as_ref().and_then(|poll| poll.carrier.clone());
        told.unwrap_or_else(|| self.name.get_ref().clone())
    }
}

impl Poll {
    fn template(&self) -> Template {
        Template {
            url: self.url.get_ref().clone(),
            body: self.body.clone(),
            header: self.header.clone().map(|header| (header, self.prefix.clone())),
        }
    }

    /// Would it ever ask, and be answered?
    fn check(&self) -> Result<(), String> {
        if self.every.is_none() && self.stages.is_empty() {
            return Err("[poll] says neither `every` nor `stages`: it would never ask".to_owned());
        }
        let named = self.header.as_deref();
        if named.is_some_and(|name| HeaderName::from_bytes(name.as_bytes()).is_err()) {
            return Err("[poll] header: no name of a header".to_owned());
        }
        if named.is_none() && !self.prefix.is_empty() {
            return Err("[poll] has a prefix and no header to put it in".to_owned());
        }
        if !(1..=100).contains(&self.per_second) {
            return Err("[poll] per_second: 1 to 100".to_owned());
        }
        Ok(())
    }
}

/// Is it a milestone, or the first part of one?
fn stage_is_one(stage: &str) -> Result<(), String> {
    let begins = |milestone: &Milestone| milestone.code().split('.').next() == Some(stage);
    if stage.parse::<Milestone>().is_ok() || Milestone::ALL.iter().any(begins) {
        return Ok(());
    }
    Err(format!("`{stage}` is no stage{}", meant(stage)))
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
