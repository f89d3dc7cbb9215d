//! All sources of this shop: those that are built in, with where the shop differs.

use super::record::{Options, Record};
use super::script::{Script, ScriptError};
use super::{MOST_EVENTS, SOURCES};
use crate::draft::Draft;
use crate::reject::Refusal;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use contract::event::Confidence;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Sources that also tell of other things than orders (tombstones, catalogues, insurances, customers): what
/// they make nothing of, they have understood.
const QUIET: [&str; 15] = [
    "17track",
    "aftership",
    "cloudevents",
    "debezium",
    "easypost",
    "epcis",
    "gelato",
    "karrio",
    "printful",
    "printify",
    "shippo",
    "shopify",
    "stripe",
    "woocommerce",
    "zalopay",
];

/// Longest name that a record's key is made of, in bytes: a longer one is hardly an order's.
const MAX_NAME: usize = 200;

/// The file of a sources folder that says where the shop differs.
const OPTIONS: &str = "options.toml";

/// Why the sources cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The folder or a file of it cannot be read.
    #[error("{0}: {1}")]
    Unreadable(String, std::io::Error),
    /// The options are no TOML, or have a key or value that they cannot have; with the line.
    #[error("{0}: {1}")]
    Options(String, toml::de::Error),
    /// The options name a source that is not there.
    #[error("{0}: there is no source {1}")]
    UnknownSource(String, String),
    /// A source's file is wrong.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// Two sources have one name.
    #[error("{0}: there is a source {1} already")]
    Twice(String, String),
}

/// The sources, ready to read with.
#[derive(Debug, Default)]
pub struct Catalog {
    options: HashMap<String, Options>,
    scripts: Vec<Script>,
    plain: Options,
}

impl Catalog {
    /// The built-in sources, with the files of a folder (none: as they are).
    ///
    /// # Errors
    /// The first thing in the folder that cannot be used.
    pub fn open(folder: Option<&Path>) -> Result<Self, CatalogError> {
        let mut catalog = Self::default();
        let Some(folder) = folder else { return Ok(catalog) };
        let unreadable = |error| CatalogError::Unreadable(folder.display().to_string(), error);
        let entries = std::fs::read_dir(folder).map_err(unreadable)?;
        let mut files: Vec<PathBuf> =
            entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
        files.sort();
        let (options, scripts): (Vec<PathBuf>, Vec<PathBuf>) =
            files.into_iter().partition(|file| file.ends_with(OPTIONS));
        for file in scripts {
            let script = Script::open(&file)?;
            if catalog.names().contains(&script.name.as_str()) {
                return Err(CatalogError::Twice(file.display().to_string(), script.name));
            }
            catalog.scripts.push(script);
        }
        options.iter().try_for_each(|file| catalog.learn(file))?;
        Ok(catalog)
    }

    /// Reads the options.
    fn learn(&mut self, file: &Path) -> Result<(), CatalogError> {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file);
        let text = text.map_err(|error| CatalogError::Unreadable(name.clone(), error))?;
        let options: HashMap<String, Options> =
            toml::from_str(&text).map_err(|error| CatalogError::Options(name.clone(), error))?;
        match options.keys().find(|key| !self.names().contains(&key.as_str())) {
            Some(unknown) => return Err(CatalogError::UnknownSource(name, unknown.clone())),
            None => self.options = options,
        }
        Ok(())
    }

    /// Names of all sources.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let own = SOURCES.iter().map(|source| source.name);
        own.chain(self.scripts.iter().map(|script| script.name.as_str())).collect()
    }

    /// The sources without code.
    #[must_use]
    pub fn scripts(&self) -> &[Script] {
        &self.scripts
    }

    /// The name by which a record calls its order, if it can be read: the number, or another name. Under it as
    /// their key, records of one order lie together in Kafka.
    #[must_use]
    pub fn name_in(
        &self,
        source: &str,
        value: &[u8],
        headers: &HashMap<String, Vec<u8>>,
        received_at: DateTime<Utc>,
    ) -> Option<String> {
        let drafts = self.read(source, value, headers, received_at, Confidence::Reported).ok()?;
        let name = drafts.first()?.named();
        (name.len() <= MAX_NAME).then(|| name.to_owned())
    }

    /// Reads a record of a source. A vendor's code that neither its table nor the shop's options
    /// know gives an `info` event with the code in `data.source_code`; in the shop's own topics
    /// it is refused.
    ///
    /// # Errors
    /// Why the record is refused.
    pub fn read(
        &self,
        name: &str,
        value: &[u8],
        headers: &HashMap<String, Vec<u8>>,
        received_at: DateTime<Utc>,
        confidence: Confidence,
    ) -> Result<Vec<Draft>, Refusal> {
        let options = self.options.get(name).unwrap_or(&self.plain);
        let record = |zone: Tz| {
            let zone = options.zone.unwrap_or(zone);
            Record { value, headers, received_at, options, zone }
        };
        let own = SOURCES.iter().find(|source| source.name == name);
        let script = self.scripts.iter().find(|script| script.name == name);
        let mut drafts = match (own, script) {
            (Some(source), _) => (source.read)(&record(source.zone))?,
            (None, Some(script)) => script.read(&record(script.zone))?,
            (None, None) => return Err(Refusal::UnknownSource(name.to_owned())),
        };
        // Anything else that says nothing was not understood.
        let quiet = QUIET.contains(&name) || script.is_some_and(Script::is_list);
        if drafts.is_empty() && !quiet {
            return Err(Refusal::Shape("nothing in it says anything".to_owned()));
        }
        if drafts.len() > MOST_EVENTS {
            return Err(Refusal::Shape(format!("a record has at most {MOST_EVENTS} events")));
        }
        for draft in &mut drafts {
            // The less sure of the record and the code counts.
            if draft.data.confidence == Confidence::Confirmed {
                draft.data.confidence = confidence;
            }
        }
        Ok(drafts)
    }
}
