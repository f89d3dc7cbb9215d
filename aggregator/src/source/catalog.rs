//! All sources of this shop: those that are built in, with where the shop differs.

use super::SOURCES;
use super::record::{Options, Record};
use crate::draft::Draft;
use crate::reject::Refusal;
use chrono::{DateTime, Utc};
use contract::event::Confidence;
use std::collections::HashMap;
use std::path::Path;

/// The file of a sources folder that says where the shop differs.
const OPTIONS: &str = "options.toml";

/// Why the sources cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OptionsError {
    /// The file is there and cannot be read.
    #[error("{0}: {1}")]
    Unreadable(String, std::io::Error),
    /// It is no TOML, or has a key or value that it cannot have; with the line.
    #[error("{0}: {1}")]
    Wrong(String, toml::de::Error),
    /// It names a source that is not there.
    #[error("{0}: there is no source {1}")]
    UnknownSource(String, String),
}

/// The sources, ready to read with.
#[derive(Debug, Default)]
pub struct Catalog {
    options: HashMap<String, Options>,
    plain: Options,
}

impl Catalog {
    /// The built-in sources, with the options of a folder (none: as they are).
    ///
    /// # Errors
    /// When the folder's options cannot be used.
    pub fn open(folder: Option<&Path>) -> Result<Self, OptionsError> {
        let Some(file) = folder.map(|folder| folder.join(OPTIONS)).filter(|file| file.exists())
        else {
            return Ok(Self::default());
        };
        let name = file.display().to_string();
        let text = std::fs::read_to_string(&file)
            .map_err(|e| OptionsError::Unreadable(name.clone(), e))?;
        let options: HashMap<String, Options> =
            toml::from_str(&text).map_err(|e| OptionsError::Wrong(name.clone(), e))?;
        match options.keys().find(|key| !SOURCES.iter().any(|source| source.name == **key)) {
            Some(unknown) => Err(OptionsError::UnknownSource(name, unknown.clone())),
            None => Ok(Self { options, plain: Options::default() }),
        }
    }

    /// Names of all sources.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        SOURCES.iter().map(|source| source.name).collect()
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
        let source = SOURCES.iter().find(|source| source.name == name);
        let source = source.ok_or_else(|| Refusal::UnknownSource(name.to_owned()))?;
        let options = self.options.get(name).unwrap_or(&self.plain);
        let zone = options.zone.unwrap_or(source.zone);
        let mut drafts = (source.read)(&Record { value, headers, received_at, options, zone })?;
        for draft in &mut drafts {
            // The less sure of the record and the code counts.
            if draft.data.confidence == Confidence::Confirmed {
                draft.data.confidence = confidence;
            }
        }
        Ok(drafts)
    }
}
