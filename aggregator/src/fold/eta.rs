//! When the order is expected: the latest of its parcels' newest ranges, with all that was said.

use super::DERIVED_SOURCE;
use super::fact::Fact;
use super::parcel::Parcels;
use contract::timeline::{Eta, EtaEntry};
use std::collections::BTreeMap;

pub(super) fn eta(facts: &[Fact<'_>], parcels: &Parcels) -> Option<Eta> {
    let mut newest = BTreeMap::new();
    let mut history: Vec<EtaEntry> = Vec::new();
    for fact in facts.iter().filter(|f| f.stands() && f.event.source != DERIVED_SOURCE) {
        let Some(range) = fact.event.data.eta else {
            continue;
        };
        newest.insert(parcels.of(fact.event), (range, fact.event.data.carrier.is_some()));
        if history.last().is_none_or(|last| last.range != range) {
            history.push(EtaEntry { at: fact.at, range });
        }
    }
    let (range, by_carrier) =
        newest.into_values().max_by_key(|(range, _)| (range.latest, range.earliest))?;
    let source = if by_carrier { "carrier" } else { "shop" };
    Some(Eta { range, source: source.to_owned(), history })
}
