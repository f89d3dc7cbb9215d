//! `source.manufacturing`: one work order for each line item, from the workshop.

use crate::draft::Draft;
use crate::reject::{Refusal, excerpt};
use crate::source::field::{filled, json, order};
use crate::source::spec::Source;
use crate::source::table::{Code, code, strict};
use crate::source::time::when;
use chrono_tz::Asia::Ho_Chi_Minh;
use contract::milestone::Milestone;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Work {
    #[serde(rename = "workOrderId")]
    id: String,
    order_number: String,
    #[serde(default)]
    line_item_id: Option<Value>,
    stage: String,
    state: String,
    #[serde(default)]
    station: Option<String>,
    at: String,
    sequence: i64,
    #[serde(default)]
    reason: Option<String>,
}

/// The workshop's system.
pub(in crate::source) const SOURCE: Source = Source {
    name: "manufacturing",
    about: "the workshop's system; the code is stage and state",
    order: "`orderNumber`",
    time: "`at`, RFC 3339",
    zone: Ho_Chi_Minh,
    table: TABLE,
    read: |record| read(record.value),
};

const TABLE: &[Code] = &[
    code("ARTWORK QUEUED", Milestone::ProductionQueued),
    // The buyer is asked while the work waits, and asked again after another change.
    code("ARTWORK STARTED", Milestone::DesignProofPending).back(),
    code("ARTWORK FINISHED", Milestone::DesignProofApproved),
    code("ARTWORK FAILED", Milestone::DesignProofRejected).back(),
    code("PRINTING QUEUED", Milestone::ProductionQueued),
    code("PRINTING STARTED", Milestone::ProductionStarted),
    code("PRINTING FINISHED", Milestone::InfoIgnored),
    // A piece that fails on the machine is made again, as one that fails the check; also one that was packed.
    code("PRINTING FAILED", Milestone::ProductionQcFailed).back(),
    code("ENGRAVING QUEUED", Milestone::ProductionQueued),
    code("ENGRAVING STARTED", Milestone::ProductionStarted),
    code("ENGRAVING FINISHED", Milestone::InfoIgnored),
    code("ENGRAVING FAILED", Milestone::ProductionQcFailed).back(),
    code("QC QUEUED", Milestone::ProductionQueued),
    code("QC STARTED", Milestone::InfoIgnored),
    code("QC FAILED", Milestone::ProductionQcFailed).back(),
    code("QC FINISHED", Milestone::ProductionFinished),
];

fn read(value: &[u8]) -> Result<Vec<Draft>, Refusal> {
    let work: Work = json(value)?;
    let code = format!("{} {}", work.stage, work.state);
    let said = strict(TABLE, &code)?;
    let time = when(&work.at, Ho_Chi_Minh)?;
    if time.assumed {
        return Err(Refusal::BadTime(excerpt(&work.at)));
    }
    let id = format!("{}:{}", work.id, work.sequence);
    let mut draft =
        Draft::new("manufacturing", id, said.milestone, time.at, order(&work.order_number)?);
    draft.data.step_back = said.back;
    draft.data.line = work.line_item_id.and_then(|line| match line {
        Value::String(text) => filled(Some(text)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    });
    draft.data.location = filled(work.station);
    draft.data.reason = filled(work.reason);
    Ok(vec![draft])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(stage: &str, state: &str) -> Result<Vec<Draft>, Refusal> {
        let record = format!(
            r#"{{"workOrderId":"W-1","orderNumber":"T-1","lineItemId":"2","stage":"{stage}","state":"{state}",
               "station":"Laser 1","at":"2026-11-20T09:12:00+07:00","sequence":4,"reason":null}}"#
        );
        read(record.as_bytes())
    }

    #[test]
    fn stages_and_states_have_their_milestones() {
        let table = [
            ("ARTWORK", "STARTED", "design.proof_pending"),
            ("ARTWORK", "FINISHED", "design.proof_approved"),
            ("ARTWORK", "FAILED", "design.proof_rejected"),
            ("PRINTING", "QUEUED", "production.queued"),
            ("ENGRAVING", "STARTED", "production.started"),
            ("PRINTING", "FINISHED", "info.ignored"),
            ("QC", "FAILED", "production.qc_failed"),
            ("QC", "FINISHED", "production.finished"),
        ];
        for (stage, state, code) in table {
            let draft = &one(stage, state).unwrap()[0];
            assert_eq!(
                (draft.milestone.code(), draft.key().as_str()),
                (code, "manufacturing:W-1:4")
            );
            assert_eq!(draft.data.line.as_deref(), Some("2"));
        }
    }

    #[test]
    fn a_stage_that_is_not_in_the_table_is_refused() {
        assert_eq!(one("POLISHING", "STARTED").unwrap_err().label(), "unknown_status");
        assert_eq!(one("QC", "DANCING").unwrap_err().label(), "unknown_status");
    }
}
