//! A vendor's documented codes and what they mean: the one truth for the mapping and for
//! `docs/sources.md`.

use super::record::Record;
use super::time::When;
use crate::draft::{Draft, OrderRef};
use crate::reject::{Refusal, excerpt};
use contract::event::Confidence;
use contract::milestone::Milestone;

/// One documented code.
#[derive(Debug, Clone, Copy)]
pub struct Code {
    /// As the vendor writes it.
    pub text: &'static str,
    /// What it means.
    pub milestone: Milestone,
    /// The vendor itself says that it is provisional.
    pub reported: bool,
    /// It may legally take its thing back to a lower rank.
    pub back: bool,
    /// Why, when the code says so.
    pub reason: Option<&'static str>,
}

/// A line of a table.
pub(super) const fn code(code: &'static str, milestone: Milestone) -> Code {
    Code { text: code, milestone, reported: false, back: false, reason: None }
}

impl Code {
    /// The vendor calls it provisional.
    pub(super) const fn reported(self) -> Self {
        Self { reported: true, ..self }
    }

    /// A declared step back.
    pub(super) const fn back(self) -> Self {
        Self { back: true, ..self }
    }

    /// With its reason.
    pub(super) const fn because(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }
}

/// What a code means in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meaning {
    pub(super) milestone: Milestone,
    reported: bool,
    back: bool,
    reason: Option<String>,
    unknown: Option<String>,
}

impl Meaning {
    /// A milestone without a code of the vendor's.
    pub(super) const fn plain(milestone: Milestone) -> Self {
        Self { milestone, reported: false, back: false, reason: None, unknown: None }
    }

    /// A milestone as a source without code tells it.
    pub(super) fn told(
        milestone: Milestone,
        reported: bool,
        back: bool,
        reason: Option<String>,
    ) -> Self {
        Self { milestone, reported, back, reason, unknown: None }
    }

    /// A code that is in no table.
    pub(super) fn unknown(text: &str) -> Self {
        Self { unknown: Some(excerpt(text)), ..Self::plain(Milestone::InfoIgnored) }
    }

    /// Another milestone of the same code.
    pub(super) fn but(self, milestone: Milestone) -> Self {
        Self { milestone, ..self }
    }

    /// The same of a parcel of which the buyer kept a part: what goes back of it is for the operator.
    pub(super) fn of_part(self, is_part: bool) -> Self {
        let goes_back = self.milestone.goes_back() || self.milestone == Milestone::ShipmentReturned;
        if is_part && goes_back { self.but(Milestone::InfoIgnored) } else { self }
    }

    /// The same of a parcel that goes back to the shop.
    pub(super) fn of_return(self, is_return: bool) -> Self {
        match self.milestone {
            _ if !is_return => self,
            Milestone::ShipmentLabelCreated => self.but(Milestone::InfoIgnored),
            Milestone::ShipmentHandedOver
            | Milestone::ShipmentInTransit
            | Milestone::ShipmentOutForDelivery
            | Milestone::ShipmentAttemptFailed
            | Milestone::ShipmentAvailableForPickup => self.but(Milestone::ShipmentReturning),
            Milestone::ShipmentDelivered => self.but(Milestone::ShipmentReturned),
            _ => self,
        }
    }

    /// Is the code in no table?
    pub(super) const fn is_unknown(&self) -> bool {
        self.unknown.is_some()
    }

    /// A draft that says it.
    pub(super) fn draft(self, source: &str, id: String, when: When, order: OrderRef) -> Draft {
        let mut draft = Draft::new(source, id, self.milestone, when.at, order);
        draft.data.tz_assumed = when.assumed;
        draft.data.step_back = self.back;
        draft.data.reason = self.reason;
        draft.data.source_code = self.unknown;
        if self.reported {
            draft.data.confidence = Confidence::Reported;
        }
        draft
    }
}

/// Reads a code: the shop's own setting comes first, then the vendor's table. One that is in
/// neither is kept for the operator.
pub(super) fn meaning(table: &[Code], record: &Record<'_>, text: &str) -> Meaning {
    if let Some(milestone) = record.options.codes.get(text) {
        return Meaning::plain(*milestone);
    }
    match table.iter().find(|line| line.text == text) {
        Some(line) => Meaning {
            milestone: line.milestone,
            reported: line.reported,
            back: line.back,
            reason: line.reason.map(str::to_owned),
            unknown: None,
        },
        None => Meaning::unknown(text),
    }
}

/// Reads a code of the shop's own systems, which have no codes that their tables do not know.
pub(super) fn strict(table: &[Code], text: &str) -> Result<Code, Refusal> {
    let line = table.iter().find(|line| line.text == text);
    line.copied().ok_or_else(|| Refusal::UnknownStatus(excerpt(text)))
}
