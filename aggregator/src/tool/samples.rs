//! Tries the mappings on a folder of samples: `<folder>/<source>/<file>`.

use crate::draft::{Draft, OrderRef};
use crate::reject::Refusal;
use crate::source::Catalog;
use contract::event::Confidence;
use serde_json::Value;
use service_kit::clock;
use service_kit::service;
use std::collections::HashMap;
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What came of it.
pub(super) struct Report {
    pub(super) text: String,
    pub(super) refused: usize,
}

impl Report {
    /// Prints it; a refused sample makes the command fail.
    pub(super) fn print(&self) -> ExitCode {
        let _ = service::print(&self.text);
        if self.refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Reads every sample below the folder.
pub(super) fn try_all(folder: &Path) -> io::Result<Report> {
    let catalog = Catalog::default();
    let mut report = Report { text: String::new(), refused: 0 };
    let mut count = 0;
    for source in sorted(folder)?.into_iter().filter(|path| path.is_dir()) {
        let name = source.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for file in sorted(&source)?.into_iter().filter(|path| path.is_file()) {
            let value = sample(std::fs::read(&file)?);
            let read = read(&catalog, &name, &value);
            report.refused += usize::from(read.is_err());
            count += 1;
            let shown = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            describe(&mut report.text, &format!("{name}/{shown}"), &read);
        }
    }
    let _ = writeln!(report.text, "{count} samples, {} refused", report.refused);
    Ok(report)
}

fn read(catalog: &Catalog, name: &str, value: &[u8]) -> Result<Vec<Draft>, Refusal> {
    // Folders are named by people: `ems-vn` is the source ems.
    let known = catalog.names().into_iter().find(|source| {
        name == *source || name.split_once('-').is_some_and(|(first, _)| first == *source)
    });
    let known = known.ok_or_else(|| Refusal::UnknownSource(name.to_owned()))?;
    catalog.read(known, value, &HashMap::new(), clock::now(), Confidence::Confirmed)
}

/// A sample of a GET callback keeps its query in `_raw_query`.
pub(super) fn sample(bytes: Vec<u8>) -> Vec<u8> {
    let value: Result<Value, _> = serde_json::from_slice(&bytes);
    let query = value.ok().and_then(|v| v["_raw_query"].as_str().map(|q| q.as_bytes().to_vec()));
    query.unwrap_or(bytes)
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    paths.sort();
    Ok(paths)
}

pub(super) fn describe(text: &mut String, name: &str, read: &Result<Vec<Draft>, Refusal>) {
    let _ = writeln!(text, "{name}");
    match read {
        Err(refusal) => {
            let _ = writeln!(text, "    refused ({}): {refusal}", refusal.label());
        }
        Ok(drafts) => drafts.iter().for_each(|draft| line(text, draft)),
    }
}

/// One event: when, what, and of which order.
pub(super) fn line(text: &mut String, draft: &Draft) {
    let order = match &draft.order {
        OrderRef::Order(order) => order.to_string(),
        OrderRef::Alias(alias) => format!("by alias {alias}"),
    };
    let unknown = draft.data.source_code.as_deref();
    let unknown = unknown.map(|code| format!(" unknown code {code}")).unwrap_or_default();
    let at = draft.time.to_rfc3339();
    let _ = writeln!(text, "    {at}  {:<28} {order}{unknown}", draft.milestone.code());
}
