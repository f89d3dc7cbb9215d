//! From a source's native form to drafts of canonical events: one file for each source, pure.

mod field;
mod shop;
mod payment;
mod manufacturing;
mod fulfilment;
mod logistics;
mod ghn;
mod stripe;

use crate::draft::Draft;
use crate::reject::Refusal;
use contract::event::Confidence;

/// The sources that are read. Each has the topic `source.<name>`.
pub const SOURCES: &[&str] =
    &["shop", "payment", "manufacturing", "fulfilment", "logistics", "ghn", "stripe"];

/// Reads a record of a source. A vendor's code that its table does not know gives an `info`
/// event with the code in `data.source_code`; in the shop's own topics it is refused.
///
/// # Errors
/// Why the record is refused.
pub fn read(source: &str, value: &[u8], confidence: Confidence) -> Result<Vec<Draft>, Refusal> {
    let drafts = match source {
        "shop" => shop::read(value),
        "payment" => payment::read(value),
        "manufacturing" => manufacturing::read(value),
        "fulfilment" => fulfilment::read(value),
        "logistics" => logistics::read(value),
        "ghn" => ghn::read(value),
        "stripe" => stripe::read(value),
        other => return Err(Refusal::UnknownSource(other.to_owned())),
    };
    let mut drafts = drafts?;
    for draft in &mut drafts {
        draft.data.confidence = confidence;
    }
    Ok(drafts)
}
