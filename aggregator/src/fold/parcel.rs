//! Parcels: the warehouse names them, carriers know them by their tracking numbers.

use super::fact::{Fact, is_belief, lines_ever, scope_of};
use chrono::{DateTime, Utc};
use contract::event::{LineItem, OrderEvent};
use contract::milestone::{Milestone, Scope};
use std::collections::{BTreeMap, BTreeSet};

/// Name of a parcel of which neither name nor number was told.
const UNNAMED: &str = "1";

/// What is known of one parcel.
#[derive(Debug, Default)]
pub(super) struct Parcel {
    pub(super) carrier: Option<String>,
    pub(super) tracking_number: Option<String>,
    pub(super) lines: Vec<String>,
    /// When it was heard of first.
    since: Option<DateTime<Utc>>,
}

/// The order's parcels by name, and their names by tracking number and by other names: the warehouse, the
/// maker and the platform each call one parcel by a name of their own, and know it by one number.
#[derive(Debug, Default)]
pub(super) struct Parcels {
    pub(super) by_name: BTreeMap<String, Parcel>,
    names: BTreeMap<String, String>,
    /// The number that was told last for each name.
    newest: BTreeMap<String, String>,
    renamed: BTreeMap<String, String>,
    told: BTreeSet<String>,
}

impl Parcels {
    /// The parcel that an event is about: by number, else by name. One that is not named is the
    /// order's only one; among several it means none of them.
    fn of(&self, event: &OrderEvent) -> Option<String> {
        let named = self.named(event);
        let about_one = scope_of(event) == Scope::Shipment;
        named.or_else(|| if about_one { self.only() } else { None })
    }

    fn named(&self, event: &OrderEvent) -> Option<String> {
        let (name, number) =
            (event.data.shipment.as_deref(), event.data.tracking_number.as_deref());
        // A label that was mistaken, and mended since: the parcel is the one that it was on.
        let mistaken = |name: &&str| {
            let newest = self.newest.get(*name).filter(|_| number.is_some());
            newest.is_some_and(|newest| Some(newest) != number.map(plain).as_ref())
        };
        if let Some(name) = name.filter(mistaken) {
            return Some(self.one_name(name).to_owned());
        }
        // While nobody had named it, the number was its name.
        let by_number = number.or(name).and_then(|number| self.by_number(number));
        by_number.or(name).map(|name| self.one_name(name).to_owned()).or(number.map(str::to_owned))
    }

    fn by_number(&self, number: &str) -> Option<&str> {
        // Where nobody named a parcel, there is nothing to look up.
        (!self.names.is_empty()).then(|| self.names.get(&plain(number)))?.map(String::as_str)
    }

    /// The one of a parcel's names that it is called by.
    fn one_name<'a>(&'a self, mut name: &'a str) -> &'a str {
        while let Some(first) = self.renamed.get(name) {
            name = first;
        }
        name
    }

    /// Whoever else has this number has the same parcel.
    fn join(&mut self, name: &str, number: &str) {
        let known = self.names.get(number).map_or(name, String::as_str);
        let (known, name) = (self.one_name(known).to_owned(), self.one_name(name).to_owned());
        if known != name {
            self.renamed.insert(name, known);
        }
    }

    fn only(&self) -> Option<String> {
        match self.told.len() {
            0 => Some(UNNAMED.to_owned()),
            1 => self.told.first().cloned(),
            _ => None,
        }
    }

    /// The parcels that a line is in: those that list it, else those that list nothing.
    pub(super) fn holding(&self, line: &str) -> Vec<String> {
        let listed = self.with(|parcel| parcel.lines.iter().any(|l| l == line));
        if listed.is_empty() { self.listing_nothing() } else { listed }
    }

    /// The parcels of which nobody said what is in them.
    fn listing_nothing(&self) -> Vec<String> {
        self.with(|parcel| parcel.lines.is_empty())
    }

    /// Those of them that were heard of first after a moment.
    pub(super) fn listing_nothing_since(&self, moment: DateTime<Utc>) -> Vec<String> {
        self.with(|parcel| parcel.lines.is_empty() && parcel.since > Some(moment))
    }

    fn with(&self, test: impl Fn(&Parcel) -> bool) -> Vec<String> {
        self.by_name.iter().filter(|(_, p)| test(p)).map(|(name, _)| name.clone()).collect()
    }

    /// The number of a parcel that was given up and whose name another number has by now: a shop books
    /// another carrier under the name that the parcel had. What ended is the number's then, not the name's.
    fn given_up(&self, fact: &Fact<'_>) -> Option<String> {
        let ended = matches!(
            fact.milestone,
            Milestone::OrderCancelled | Milestone::ShipmentLost | Milestone::ShipmentReturned
        );
        let number = fact.event.data.tracking_number.as_ref().filter(|_| ended)?;
        let name = self.names.get(&plain(number))?;
        let newest = self.newest.get(name)?;
        (*newest != plain(number)).then(|| number.clone())
    }
}

/// One number in the spellings of different people.
fn plain(number: &str) -> String {
    number.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_uppercase()
}

/// Reads the parcels off all events, so that a scan that came before the warehouse's record
/// belongs to the same parcel as one that came after; then each fact knows its parcel.
pub(super) fn parcels(facts: &mut [Fact<'_>]) -> Parcels {
    let mut parcels = named(facts);
    for fact in &mut *facts {
        fact.parcel = parcels.given_up(fact).or_else(|| parcels.of(fact.event));
    }
    let lines = lines_ever(facts);
    // That a report was believed tells nothing of the parcel.
    for fact in facts.iter().filter(|fact| fact.stands() && !is_belief(fact)) {
        if let Some(name) = &fact.parcel {
            parcels.by_name.entry(name.clone()).or_default().learn(fact, &lines);
        }
    }
    parcels
}

/// What parcels are called, and by which numbers.
fn named(facts: &[Fact<'_>]) -> Parcels {
    let standing = || facts.iter().filter(|fact| fact.stands());
    let mut parcels = Parcels::default();
    let pairs = standing().filter_map(|fact| {
        let (name, number) =
            fact.event.data.shipment.as_ref().zip(fact.event.data.tracking_number.as_ref())?;
        // "None yet" and "by hand" are no numbers.
        let is_one = number.bytes().any(|byte| byte.is_ascii_digit());
        is_one.then(|| (name.clone(), plain(number)))
    });
    let pairs: Vec<(String, String)> = pairs.collect();
    parcels.newest = pairs.iter().cloned().collect();
    // A number that was mistaken is another parcel's: the one that was told last for a name counts.
    let is_newest = |(name, number): &&(String, String)| parcels.newest.get(name) == Some(number);
    let (counted, mistaken): (Vec<_>, Vec<_>) = pairs.iter().partition(is_newest);
    for (name, number) in counted.into_iter().chain(mistaken) {
        parcels.names.entry(number.clone()).or_insert_with(|| name.clone());
    }
    for (name, number) in parcels.newest.clone() {
        parcels.join(&name, &number);
    }
    parcels.told = standing()
        .filter(|fact| fact.scope() == Scope::Shipment && !is_belief(fact))
        .filter_map(|fact| parcels.named(fact.event))
        .collect();
    parcels
}

impl Parcel {
    /// Takes what an event tells of it.
    fn learn(&mut self, fact: &Fact<'_>, lines: &[LineItem]) {
        let data = &fact.event.data;
        self.since = self.since.or(Some(fact.at));
        self.carrier = data.carrier.clone().or(self.carrier.take());
        self.tracking_number = data.tracking_number.clone().or(self.tracking_number.take());
        let of_article =
            |line: &&LineItem| line.sku.as_ref().is_some_and(|s| data.skus.contains(s));
        let by_article = lines.iter().filter(of_article).map(|line| &line.line);
        // A maker counts lines of its own: what the order does not have tells nothing.
        let told = data.lines.iter().filter(|told| lines.iter().any(|line| line.line == **told));
        for line in told.chain(by_article) {
            if !self.lines.contains(line) {
                self.lines.push(line.clone());
            }
        }
    }
}
