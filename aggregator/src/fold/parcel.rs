//! Parcels: the warehouse names them, carriers know them by their tracking numbers.

use super::fact::Fact;
use contract::event::OrderEvent;
use contract::milestone::Scope;
use std::collections::BTreeMap;

/// Name of a parcel of which neither name nor number was told.
const UNNAMED: &str = "1";

/// What is known of one parcel.
#[derive(Debug, Default)]
pub(super) struct Parcel {
    pub(super) carrier: Option<String>,
    pub(super) tracking_number: Option<String>,
    pub(super) lines: Vec<String>,
}

/// The order's parcels by name, and their names by tracking number.
#[derive(Debug, Default)]
pub(super) struct Parcels {
    pub(super) by_name: BTreeMap<String, Parcel>,
    names: BTreeMap<String, String>,
}

impl Parcels {
    /// The parcel that an event is about: by name, else by number.
    pub(super) fn of(&self, event: &OrderEvent) -> Option<String> {
        let data = &event.data;
        let number = data.tracking_number.as_ref();
        let by_number = || number.map(|n| self.names.get(n).unwrap_or(n).clone());
        let named = data.shipment.clone().or_else(by_number);
        let about_one = event.milestone.scope() == Scope::Shipment;
        named.or_else(|| about_one.then(|| UNNAMED.to_owned()))
    }

    /// The parcels that a line is in: those that list it, else those that list nothing.
    pub(super) fn holding(&self, line: &str) -> Vec<String> {
        let with = |test: &dyn Fn(&Parcel) -> bool| -> Vec<String> {
            self.by_name.iter().filter(|(_, p)| test(p)).map(|(name, _)| name.clone()).collect()
        };
        let listed = with(&|parcel| parcel.lines.iter().any(|l| l == line));
        if listed.is_empty() { with(&|parcel| parcel.lines.is_empty()) } else { listed }
    }
}

/// Reads the parcels off all events, so that a scan that came before the warehouse's record
/// belongs to the same parcel as one that came after.
pub(super) fn parcels(facts: &[Fact<'_>]) -> Parcels {
    let mut parcels = Parcels::default();
    for fact in facts.iter().filter(|fact| fact.stands()) {
        if let (Some(name), Some(number)) =
            (&fact.event.data.shipment, &fact.event.data.tracking_number)
        {
            parcels.names.entry(number.clone()).or_insert_with(|| name.clone());
        }
    }
    for fact in facts.iter().filter(|fact| fact.stands()) {
        let Some(name) = parcels.of(fact.event) else {
            continue;
        };
        let (data, parcel) = (&fact.event.data, parcels.by_name.entry(name).or_default());
        parcel.carrier = data.carrier.clone().or(parcel.carrier.take());
        parcel.tracking_number = data.tracking_number.clone().or(parcel.tracking_number.take());
        for line in &data.lines {
            if !parcel.lines.contains(line) {
                parcel.lines.push(line.clone());
            }
        }
    }
    parcels
}
