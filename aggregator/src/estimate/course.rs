//! When each line of an order reached which stage.

use chrono::{DateTime, Utc};
use contract::milestone::Milestone;
use contract::timeline::{Entry, Item, Timeline};

/// The steps between which durations are learned.
pub(super) const STEPS: usize = 6;

/// A stage lies between a step and the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// From placed to confirmed.
    Confirm,
    /// From confirmed to the first machine.
    Prepare,
    /// From the first machine to the last check.
    Make,
    /// From the last check to the carrier.
    Dispatch,
    /// From the carrier to the door.
    Carry,
}

/// All stages, in order.
pub(super) const STAGES: [Stage; STEPS - 1] =
    [Stage::Confirm, Stage::Prepare, Stage::Make, Stage::Dispatch, Stage::Carry];

impl Stage {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Prepare => "prepare",
            Self::Make => "make",
            Self::Dispatch => "dispatch",
            Self::Carry => "carry",
        }
    }
}

/// A line's way.
pub(super) struct Course<'a> {
    pub(super) item: &'a Item,
    /// Who makes it, once somebody does.
    pub(super) workshop: Option<&'a str>,
    /// Who carries it, once that is known.
    pub(super) carrier: Option<&'a str>,
    /// When it reached each step.
    pub(super) reached: [Option<DateTime<Utc>>; STEPS],
}

impl Course<'_> {
    /// The last step that it has reached, and when.
    pub(super) fn here(&self) -> Option<(usize, DateTime<Utc>)> {
        self.reached.iter().enumerate().rev().find_map(|(step, at)| Some((step, (*at)?)))
    }

    /// Is it still on its way to the buyer?
    pub(super) fn is_open(&self) -> bool {
        let status = self.item.status;
        self.reached[STEPS - 1].is_none()
            && !status.is_terminal()
            && status.kind() != contract::milestone::Kind::Return
    }
}

/// The ways of an order's lines.
pub(super) fn courses(timeline: &Timeline) -> Vec<Course<'_>> {
    timeline.items.iter().map(|item| course(timeline, item)).collect()
}

fn course<'a>(timeline: &'a Timeline, item: &'a Item) -> Course<'a> {
    let of_line = |e: &&Entry| e.line.as_ref().is_none_or(|line| *line == item.line);
    let of_parcel = |e: &&Entry| e.shipment.is_none() || e.shipment == item.shipment;
    let told = || timeline.entries.iter().filter(|entry| entry.corrected_by.is_none());
    let first = |codes: &[Milestone]| {
        let mut there = told().filter(of_line).filter(of_parcel);
        there.find(|entry| codes.contains(&entry.milestone))
    };
    let made: Vec<&Entry> = told().filter(of_line).filter(|e| is_making(e.milestone)).collect();
    let finished = made.last().filter(|e| e.milestone == Milestone::ProductionFinished);
    let carried = [Milestone::ShipmentHandedOver, Milestone::ShipmentInTransit];
    let delivered = item.status == Milestone::ShipmentDelivered;
    let mut door = told().filter(of_parcel).filter(|e| e.milestone == Milestone::ShipmentDelivered);
    let steps = [
        first(&[Milestone::OrderPlaced]),
        first(&[Milestone::OrderConfirmed]),
        first(&[Milestone::ProductionStarted]),
        finished.copied(),
        first(&carried),
        door.next_back().filter(|_| delivered),
    ];
    let parcel = timeline.shipments.iter().find(|s| Some(&s.id) == item.shipment.as_ref());
    Course {
        item,
        workshop: made.last().map(|entry| entry.source.as_str()),
        carrier: parcel.and_then(|parcel| parcel.carrier.as_deref()),
        reached: steps.map(|step| step.map(|entry| entry.at)),
    }
}

/// A piece that fails its check is not finished, whatever was said before.
const fn is_making(code: Milestone) -> bool {
    matches!(
        code,
        Milestone::ProductionStarted
            | Milestone::ProductionQcFailed
            | Milestone::ProductionFinished
    )
}
