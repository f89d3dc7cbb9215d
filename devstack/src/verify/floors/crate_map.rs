//! Which modules a crate has, and in which order they are declared.

use super::rust_files;
use anyhow::Context;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The modules of a crate.
pub(super) struct CrateMap {
    source: PathBuf,
    files: Vec<PathBuf>,
    /// For each folder (a module path) its modules, lowest floor first.
    order: HashMap<Vec<String>, Vec<String>>,
}

impl CrateMap {
    pub(super) fn read(source: &Path) -> anyhow::Result<Self> {
        let files = rust_files(source)?;
        let mut map =
            Self { source: source.to_path_buf(), files: Vec::new(), order: HashMap::new() };
        for file in &files {
            let text = std::fs::read_to_string(file)?;
            let parsed = syn::parse_file(&text).with_context(|| file.display().to_string())?;
            let modules = parsed.items.iter().filter_map(|item| match item {
                syn::Item::Mod(module) if module.content.is_none() => {
                    Some(module.ident.to_string())
                }
                _ => None,
            });
            if file.file_name().is_some_and(|name| name != "main.rs") {
                map.order.insert(map.module(file), modules.collect());
            }
        }
        map.files = files;
        Ok(map)
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        self.files.iter()
    }

    /// The module path of a file; empty for the crate's root.
    pub(super) fn module(&self, file: &Path) -> Vec<String> {
        let inside = file.strip_prefix(&self.source).unwrap_or(file).with_extension("");
        let parts: Vec<String> =
            inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if parts == ["lib"] || parts == ["main"] { Vec::new() } else { parts }
    }

    /// Name for people: `aggregator/src/fold.rs`.
    pub(super) fn name(&self, file: &Path) -> String {
        let root = self.source.parent().and_then(Path::parent).unwrap_or(&self.source);
        file.strip_prefix(root).unwrap_or(file).display().to_string()
    }

    /// Does `own` stand below `used`, so that it may not use it? Compared where the two part.
    pub(super) fn is_above(&self, own: &[String], used: &[String]) -> bool {
        let common = own.iter().zip(used).take_while(|(a, b)| a == b).count();
        let (Some(mine), Some(theirs)) = (own.get(common), used.get(common)) else {
            return false;
        };
        let Some(order) = self.order.get(&own[..common]) else {
            return false;
        };
        let place = |name: &String| order.iter().position(|module| module == name);
        matches!((place(mine), place(theirs)), (Some(mine), Some(theirs)) if theirs > mine)
    }
}
