//! A record of one source: whatever the bytes, it is read or refused by name. The target's name is
//! the source's.

#![no_main]

use aggregator::source::Catalog;
use aggregator::validate;
use chrono::DateTime;
use contract::event::Confidence;
use libfuzzer_sys::fuzz_target;
use std::collections::HashMap;

fuzz_target!(|bytes: &[u8]| {
    let now = DateTime::from_timestamp(1_795_312_800, 0).expect("a moment");
    let name = env!("CARGO_BIN_NAME");
    let read = Catalog::default().read(name, bytes, &HashMap::new(), now, Confidence::Reported);
    for mut draft in read.into_iter().flatten() {
        draft.received_at = now;
        let _ = validate::check(&mut draft, now);
    }
});
