//! `docs/sources.md`: what every source says and what is made of it, written from the tables
//! themselves.

use super::SOURCES;
use super::spec::Source;
use super::table::Code;
use std::fmt::Write;

const HEAD: &str = "# Sources\n\nGenerated from the code by `cargo devstack docs`. Each source has the Kafka topic \
    `source.<name>`; the value is the vendor's\nwebhook body, untouched. A code that is not listed becomes an `info.ignored` \
    event with the code in `data.source_code`: it\nis counted (`aggregator_unmapped_codes_total`) and kept for the operator, \
    but in the shop's own topics it is refused.\n\n`options.toml` in `SOURCES_DIR` says where a shop differs, by source: \
    `order` (dotted path of the field that names the\norder), `zone` (IANA zone of times without an offset) and `codes` \
    (code = milestone):\n\n```toml\n[woocommerce]\norder = \"meta_data.0.value\"\n[woocommerce.codes]\n\
    completed = \"shipment.delivered\"\n```\n\n\"Reported\": the vendor itself calls it provisional. \"Step back\": it may take \
    its parcel back to a lower rank.\n";

/// The document.
#[must_use]
pub fn document() -> String {
    let mut text = HEAD.to_owned();
    for source in SOURCES {
        describe(&mut text, source);
    }
    text
}

fn describe(text: &mut String, source: &Source) {
    let Source { name, about, order, time, zone, .. } = source;
    let _ = write!(text, "\n## {name}\n\n{about}.\n\n- Order: {order}\n- Time: {time}");
    let _ = writeln!(text, " (zone where none is told: {zone})\n");
    if source.table.is_empty() {
        text.push_str("The codes are the milestones' own.\n");
        return;
    }
    text.push_str("| code | milestone | |\n| --- | --- | --- |\n");
    for line in source.table {
        let _ = writeln!(text, "| `{}` | {} | {} |", line.text, line.milestone, marks(line));
    }
}

fn marks(line: &Code) -> String {
    let marks = [
        line.reported.then(|| "reported".to_owned()),
        line.back.then(|| "step back".to_owned()),
        line.reason.map(|reason| format!("`{reason}`")),
    ];
    marks.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
