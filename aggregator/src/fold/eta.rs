//! When the order is expected: the latest of its parcels' newest ranges, with all that was said.
//! What a carrier or the shop says counts before any estimate.

use super::DERIVED_SOURCE;
use super::fact::{Fact, is_estimate};
use contract::event::{EtaRange, OrderEvent};
use contract::timeline::{Eta, EtaEntry, EtaSource};
use std::collections::BTreeMap;

pub(super) fn eta(facts: &[Fact<'_>]) -> Option<Eta> {
    let (mut told, mut estimate) = (BTreeMap::new(), None);
    let mut history: Vec<EtaEntry> = Vec::new();
    for fact in facts.iter().filter(|fact| fact.stands()) {
        let (Some(range), Some(source)) = (fact.event.data.eta, source(fact.event)) else {
            continue;
        };
        if source == EtaSource::Estimate {
            estimate = Some((range, source));
        } else {
            told.insert(&fact.parcel, (range, source));
        }
        if history.last().is_none_or(|last| last.range != range) {
            history.push(EtaEntry { at: fact.at, source, range });
        }
    }
    let end = |(range, _): &(EtaRange, EtaSource)| (range.latest, range.earliest);
    let (range, source) = told.into_values().max_by_key(end).or(estimate)?;
    Some(Eta { range, source, history })
}

/// Who expects it; none when the range only goes along with something else that is derived.
fn source(event: &OrderEvent) -> Option<EtaSource> {
    if event.source == DERIVED_SOURCE {
        return is_estimate(event).then_some(EtaSource::Estimate);
    }
    Some(if event.data.carrier.is_some() { EtaSource::Carrier } else { EtaSource::Shop })
}
