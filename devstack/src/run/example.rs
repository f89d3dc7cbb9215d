//! The sources without code that the documentation shows, for use on this machine: the one that is
//! asked is met by a fake, every few seconds.

use crate::host::folder::{self, DataFolder};
use anyhow::Context;
use std::path::PathBuf;

/// Copies the examples, and returns their folder.
///
/// # Errors
/// When the file system refuses.
pub fn sources(data: &DataFolder, fakes: &str) -> anyhow::Result<PathBuf> {
    let (from, to) = (folder::root().join("docs/examples/sources"), data.fresh("sources", None)?);
    for entry in std::fs::read_dir(&from).with_context(|| from.display().to_string())? {
        let file = entry?;
        let text = std::fs::read_to_string(file.path())?;
        let here = text.replace("https://api.heron.example", &format!("{fakes}/heron"));
        let quick = here.replace("\"4h\"", "\"2s\"").replace("\"20m\"", "\"1s\"");
        std::fs::write(to.join(file.file_name()), quick)?;
    }
    Ok(to)
}
