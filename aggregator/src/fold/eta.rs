//! When the order is expected: the latest of its parcels' newest ranges, with all that was said.
//! What a carrier or the shop says counts before any estimate.

use super::DERIVED_SOURCE;
use super::fact::{Fact, is_estimate};
use chrono::{DateTime, Utc};
use contract::event::{EtaRange, OrderEvent};
use contract::timeline::{Eta, EtaEntry, EtaSource, Shipment};
use std::collections::BTreeMap;

pub(super) fn eta(facts: &[Fact<'_>], parcels: &[Shipment]) -> Option<Eta> {
    let (mut told, mut estimate) = (BTreeMap::new(), None);
    let mut history: Vec<EtaEntry> = Vec::new();
    for fact in facts.iter().filter(|fact| fact.stands()) {
        let (Some(range), Some(source)) = (fact.event.data.eta, source(fact.event)) else {
            continue;
        };
        if source == EtaSource::Estimate {
            estimate = Some((range, source));
        } else {
            told.insert(&fact.parcel, (fact.at, (range, source)));
        }
        if history.last().is_none_or(|last| last.range != range) {
            history.push(EtaEntry { at: fact.at, source, range });
        }
    }
    let end = |(range, _): &(EtaRange, EtaSource)| (range.latest, range.earliest);
    let (range, source) = open(told, parcels).max_by_key(end).or(estimate)?;
    Some(Eta { range, source, history })
}

/// What was said of the order as a whole, or of a parcel: when, and what.
type Told<'a> = BTreeMap<&'a Option<String>, (DateTime<Utc>, (EtaRange, EtaSource))>;

/// What still tells when the rest is there: a parcel that is through is waited for no more, unless all
/// are; and what was said of the order is replaced by what is said of a parcel later.
fn open(told: Told<'_>, parcels: &[Shipment]) -> impl Iterator<Item = (EtaRange, EtaSource)> {
    let through = |name: &str| parcels.iter().any(|p| p.id == name && p.status.is_terminal());
    let all = told.keys().filter_map(|name| name.as_deref()).all(through);
    let newest = told.iter().filter(|(name, _)| name.is_some()).map(|(_, (at, _))| *at).max();
    told.into_iter().filter_map(move |(name, (at, what))| {
        let counts = match name {
            Some(name) => all || !through(name),
            None => newest.is_none_or(|newest| newest < at),
        };
        counts.then_some(what)
    })
}

/// Who expects it; none when the range only goes along with something else that is derived.
fn source(event: &OrderEvent) -> Option<EtaSource> {
    if event.source == DERIVED_SOURCE {
        return is_estimate(event).then_some(EtaSource::Estimate);
    }
    Some(if event.data.carrier.is_some() { EtaSource::Carrier } else { EtaSource::Shop })
}
