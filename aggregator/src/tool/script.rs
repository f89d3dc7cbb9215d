//! Tries a source's file on a sample.

use super::samples::{Report, describe, sample};
use crate::source::{Options, Record, Script};
use service_kit::clock;
use std::collections::HashMap;
use std::path::Path;

/// Checks the file and reads the sample with it.
pub(super) fn test(file: &Path, example: &Path) -> Result<Report, String> {
    let script = Script::open(file).map_err(|error| error.to_string())?;
    let bytes =
        std::fs::read(example).map_err(|error| format!("{}: {error}", example.display()))?;
    let value = sample(bytes);
    let (headers, options) = (HashMap::new(), Options::default());
    let received_at = clock::now();
    let zone = script.zone;
    let record = Record { value: &value, headers: &headers, received_at, options: &options, zone };
    let read = script.read(&record);
    let mut report = Report { text: String::new(), refused: usize::from(read.is_err()) };
    describe(&mut report.text, &format!("source.{}", script.name), &read);
    Ok(report)
}
