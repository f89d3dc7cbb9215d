//! A source without code: a file that says where its fields are and what its codes mean.
//!
//! `file` is what may stand in it → `filter` compiles an expression, after `bound` has seen that
//! it ends, with `json` in place of the language's own reading → `read` makes drafts.

mod file;
mod bound;
mod json;
mod filter;
mod read;
#[cfg(test)]
mod tests;

pub use file::Webhook;

use super::record::Record;
use super::table::Meaning;
use crate::draft::Draft;
use crate::question::Question;
use crate::reject::Refusal;
use chrono_tz::Tz;
use file::{Codes, File};
use filter::Filter;
use std::path::Path;

/// How often an event may be as large again as its record, as a power of two: there may be many.
const MOST_GROWTH: u32 = 2;

/// Why a file is no source.
#[derive(Debug, thiserror::Error)]
#[error("{file}{}: {what}", if *line == 0 { String::new() } else { format!(":{line}") })]
pub struct ScriptError {
    /// The file.
    pub file: String,
    /// The line; 0: the file itself.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

/// A source that a file describes.
#[derive(Debug)]
pub struct Script {
    /// Name: the topic is `source.<name>`.
    pub name: String,
    /// How its webhook is signed; none when nobody calls.
    pub webhook: Option<Webhook>,
    /// What it is asked; none when it calls by itself.
    pub question: Option<Question>,
    /// Zone of times without an offset.
    pub zone: Tz,
    /// Whose parcels it tells of, where a record does not say so.
    carrier: String,
    each: Option<Filter>,
    fields: Vec<(&'static str, Filter)>,
    codes: Codes,
}

impl Script {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line.
    pub fn open(path: &Path) -> Result<Self, ScriptError> {
        let file = path.display().to_string();
        let wrong = |line, what: String| ScriptError { file: file.clone(), line, what };
        let text = std::fs::read_to_string(path).map_err(|error| wrong(0, error.to_string()))?;
        Self::parse(&text).map_err(|(line, what)| wrong(line, what))
    }

    /// Reads and checks the text of a file.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line.
    pub fn parse(text: &str) -> Result<Self, (usize, String)> {
        let file = File::parse(text)?;
        let compiled = |spanned: &toml::Spanned<String>| {
            let line = file::line_of(text, spanned.span().start);
            Filter::compile(spanned.get_ref()).map_err(|what| (line, what))
        };
        let each = file.read.each.as_ref().map(|each| {
            let (line, filter) = (file::line_of(text, each.span().start), compiled(each)?);
            let grows = filter.growth > MOST_GROWTH;
            let refused = || format!("`each`: more than {MOST_GROWTH} of `,` `+` and \\( )");
            if grows { Err((line, refused())) } else { Ok(filter) }
        });
        let each = each.transpose()?;
        let fields = file.read.fields().into_iter();
        let fields = fields.map(|(name, filter)| Ok((name, compiled(filter)?)));
        let question = file.question(text)?;
        Ok(Self {
            question,
            fields: fields.collect::<Result<_, _>>()?,
            carrier: file.carrier(),
            name: file.name.into_inner(),
            webhook: file.webhook,
            zone: file.zone,
            each,
            codes: file.codes,
        })
    }

    /// Reads a record.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn read(&self, record: &Record<'_>) -> Result<Vec<Draft>, Refusal> {
        read::read(self, record)
    }

    /// Does a record hold a list of events? One with none says nothing, and is no mistake.
    pub(super) const fn is_list(&self) -> bool {
        self.each.is_some()
    }

    /// What a code means: as the options say, else as the file does.
    fn meaning(&self, record: &Record<'_>, code: &str) -> Meaning {
        match (record.options.codes.get(code), self.codes.get(code)) {
            (Some(milestone), _) => Meaning::plain(*milestone),
            (None, Some(told)) => told.meaning(),
            (None, None) => Meaning::unknown(code),
        }
    }
}
