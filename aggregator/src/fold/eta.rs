//! When the order is expected: the latest of its parcels' newest ranges, with all that was said.
//! What a carrier or the shop says counts before any estimate, until it is over.

use super::DERIVED_SOURCE;
use super::fact::{Fact, is_estimate};
use chrono::{DateTime, Utc};
use contract::event::{EtaRange, OrderEvent};
use contract::milestone::Milestone;
use contract::timeline::{Eta, EtaEntry, EtaSource, Shipment};
use std::collections::BTreeMap;

/// What is still waited for.
pub(super) struct Rest<'a> {
    /// Nothing is.
    pub(super) terminal: bool,
    /// All that is on its way goes back to the shop.
    pub(super) goes_back: bool,
    /// The parcel of each line that is not through; none of one that is in no parcel yet.
    pub(super) waiting: Vec<Option<&'a str>>,
    /// The parcels.
    pub(super) parcels: &'a [Shipment],
}

/// What was said of a parcel, or of the order as a whole: when, and what.
type Told<'a> = BTreeMap<Option<&'a str>, (DateTime<Utc>, (EtaRange, EtaSource))>;

pub(super) fn eta(facts: &[Fact<'_>], rest: &Rest<'_>) -> Option<Eta> {
    if rest.goes_back {
        return None;
    }
    let (mut told, mut estimate) = (Told::new(), None);
    let mut history: Vec<EtaEntry> = Vec::new();
    for fact in facts.iter().filter(|fact| fact.stands()) {
        let (Some(range), Some(source)) = (fact.eta, source(fact.event)) else {
            continue;
        };
        if source == EtaSource::Estimate {
            estimate = Some((fact.at, (range, source)));
        } else {
            told.insert(fact.parcel.as_deref(), (fact.at, (range, source)));
        }
        if history.last().is_none_or(|last| last.range != range) {
            history.push(EtaEntry { at: fact.at, source, range });
        }
    }
    let end = |(range, _): &(EtaRange, EtaSource)| (range.latest, range.earliest);
    let told = rest.open(&told).into_iter().max_by_key(end);
    // Nobody waits for a day that is over; who has said nothing since does not know.
    let guess = estimate.filter(|(at, _)| told.is_none_or(|(range, _)| range.latest <= *at));
    let (range, source) = guess.map(|(_, guess)| guess).or(told)?;
    Some(Eta { range, source, history })
}

impl Rest<'_> {
    /// What still tells when the rest is there. A parcel that is through is waited for no more, unless all
    /// are; what was said of the whole order holds until every line that is waited for has a parcel of
    /// which something was said later.
    fn open(&self, told: &Told<'_>) -> Vec<(EtaRange, EtaSource)> {
        if self.terminal {
            return told.values().map(|(_, what)| *what).collect();
        }
        let through = |name: &str| {
            let gone = |status: Milestone| status.is_terminal() || status.goes_back();
            self.parcels.iter().any(|p| p.id == name && gone(p.status))
        };
        let of_parcels = || {
            let open = told.iter().filter_map(|(name, said)| Some(((*name)?, *said)));
            open.filter(|(name, _)| !through(name))
        };
        let whole = told.get(&None).filter(|(at, _)| {
            let later = |name: Option<&str>| {
                name.is_some_and(|name| {
                    of_parcels().any(|(open, (said, _))| open == name && said >= *at)
                })
            };
            !self.waiting.iter().copied().all(later)
        });
        of_parcels().map(|(_, said)| said).chain(whole.copied()).map(|(_, what)| what).collect()
    }
}

/// Who expects it; none when the range only goes along with something else that is derived.
fn source(event: &OrderEvent) -> Option<EtaSource> {
    if event.source == DERIVED_SOURCE {
        return is_estimate(event).then_some(EtaSource::Estimate);
    }
    Some(if event.data.carrier.is_some() { EtaSource::Carrier } else { EtaSource::Shop })
}
