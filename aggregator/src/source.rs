//! From a source's native form to drafts of canonical events: one file for each source, pure.
//!
//! `record` is what is read (bytes, headers, where the shop differs) → a source's file → drafts.
//! Every file has a `SOURCE`: its name, its fields and its table of documented codes, from which
//! `docs/sources.md` is generated.

mod field;
mod time;
mod doc;
mod record;
mod table;
mod spec;
mod own;
mod carrier;
mod tracker;
mod storefront;
mod maker;
mod payment;
mod envelope;
mod script;
mod catalog;
mod document;
#[cfg(test)]
mod tests;

pub use catalog::{Catalog, CatalogError};
pub use document::document;
pub use record::{Options, Record};
pub use script::{Script, ScriptError, Webhook};
pub use spec::Source;

/// Most events of one record: each makes a version, and a version carries the whole state.
pub const MOST_EVENTS: usize = 200;

/// The sources that are built in. Each has the topic `source.<name>`.
pub static SOURCES: &[&Source] = &[
    &own::shop::SOURCE,
    &own::payment::SOURCE,
    &own::manufacturing::SOURCE,
    &own::fulfilment::SOURCE,
    &own::logistics::SOURCE,
    &carrier::ghn::SOURCE,
    &carrier::ghtk::SOURCE,
    &carrier::viettelpost::SOURCE,
    &carrier::ems::SOURCE,
    &carrier::nhattin::SOURCE,
    &carrier::ghsv::SOURCE,
    &tracker::aftership::SOURCE,
    &tracker::easypost::SOURCE,
    &tracker::seventeentrack::SOURCE,
    &tracker::shippo::SOURCE,
    &tracker::karrio::SOURCE,
    &storefront::shopify::SOURCE,
    &storefront::woocommerce::SOURCE,
    &maker::printful::SOURCE,
    &maker::printify::SOURCE,
    &maker::gelato::SOURCE,
    &payment::stripe::SOURCE,
    &payment::momo::SOURCE,
    &payment::vnpay::SOURCE,
    &payment::zalopay::SOURCE,
    &envelope::cloudevents::SOURCE,
    &envelope::debezium::SOURCE,
    &envelope::epcis::SOURCE,
];
