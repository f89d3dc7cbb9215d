//! A parcel's journey as a list of checkpoints and a state.

use crate::draft::{Draft, Expected, OrderRef};
use crate::source::field::hashed_id;
use crate::source::table::Meaning;
use crate::source::time::When;
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use contract::milestone::Milestone;

/// Most checkpoints of one record; a journey has a few dozen.
const MOST: usize = 150;

/// What is farther ahead is no time of a parcel's.
const FARTHEST: TimeDelta = TimeDelta::days(365);

/// Whose journey it is.
pub(super) struct Parcel<'a> {
    /// The service that tells.
    pub(super) source: &'a str,
    /// The carrier's name there.
    pub(super) carrier: Option<String>,
    /// The tracking number.
    pub(super) number: String,
    /// The order.
    pub(super) order: OrderRef,
    /// When its record came.
    pub(super) received_at: DateTime<Utc>,
}

/// One stop, or the state.
pub(super) struct Stop {
    pub(super) said: Meaning,
    /// The code that it was read from.
    pub(super) code: String,
    pub(super) when: When,
    pub(super) location: Option<String>,
    pub(super) note: Option<String>,
}

impl Parcel<'_> {
    /// Drafts of the stops, and of the state where the newest stop does not say it.
    pub(super) fn drafts(&self, mut stops: Vec<Stop>, state: Option<Stop>) -> Vec<Draft> {
        // A stop of a time that nobody lived in spoils no other.
        let latest = self.received_at + FARTHEST;
        stops.retain(|stop| stop.when.at.year() >= 2000 && stop.when.at <= latest);
        // Of one moment: in the order in which a parcel travels.
        stops.sort_by_key(|stop| (stop.when.at, stop.said.milestone.rank()));
        // A journey that is too long keeps its end.
        stops.drain(..stops.len().saturating_sub(MOST));
        let known = |stop: &Stop, state: &Stop| {
            let moving = state.said.milestone == Milestone::ShipmentInTransit;
            let same = stop.said.milestone == state.said.milestone
                || (moving && stop.said.milestone == Milestone::ShipmentHandedOver);
            same && (!state.said.is_unknown() || stop.code == state.code)
        };
        // A list may have news from before its own state; and scans may be told with a time after the end.
        let newest = |stop: &&Stop, state: &Stop| {
            stop.when.at >= state.when.at || state.said.milestone.is_terminal()
        };
        let news = state.filter(|state| {
            let mut told =
                stops.last().into_iter().chain(stops.iter().filter(|s| newest(s, state)));
            !told.any(|stop| known(stop, state))
        });
        let mut drafts: Vec<Draft> = stops.into_iter().map(|stop| self.draft(stop)).collect();
        drafts.extend(news.map(|state| {
            // It is said anew with every record.
            let mut draft = self.draft(state);
            draft.data.restates = true;
            draft
        }));
        drafts
    }

    /// When the parcel is expected, as this record says. An event of its own: the last stop may be
    /// an old one.
    pub(super) fn expected(&self, expected: Option<Expected>, at: When) -> Option<Draft> {
        let range = expected?.range;
        let parts = [range.earliest, range.latest, at.at].map(|time| time.to_rfc3339());
        let id = hashed_id(&["eta", &self.number, &parts[0], &parts[1], &parts[2]]);
        let said = Meaning::plain(Milestone::EtaRevised);
        let mut draft = said.draft(self.source, id, at, self.order.clone());
        let carrier = self.carrier.as_deref().unwrap_or(self.source);
        draft.parcel(&carrier.to_lowercase(), Some(self.number.clone()));
        draft.noted = true;
        draft.expect(expected);
        draft.data.restates = true;
        Some(draft)
    }

    fn draft(&self, stop: Stop) -> Draft {
        let at = if stop.when.receipt { String::new() } else { stop.when.at.to_rfc3339() };
        let place = stop.location.as_deref().unwrap_or("");
        let id = hashed_id(&[&self.number, &stop.code, stop.said.milestone.code(), &at, place]);
        let mut draft = stop.said.draft(self.source, id, stop.when, self.order.clone());
        let carrier = self.carrier.as_deref().unwrap_or(self.source);
        draft.parcel(&carrier.to_lowercase(), Some(self.number.clone()));
        draft.noted = true;
        draft.data.location = stop.location;
        draft.data.note = stop.note;
        draft
    }
}

/// The first stop on the way is the one at which the carrier took the parcel over.
pub(super) fn first_is_hand_over(stops: &mut [Stop]) {
    let taken = stops.iter().any(|stop| stop.said.milestone == Milestone::ShipmentHandedOver);
    let moving = stops.iter_mut().filter(|s| s.said.milestone == Milestone::ShipmentInTransit);
    if let Some(first) = moving.min_by_key(|stop| stop.when.at).filter(|_| !taken) {
        first.said = Meaning::plain(Milestone::ShipmentHandedOver);
    }
}
