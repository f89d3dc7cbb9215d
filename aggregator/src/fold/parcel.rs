//! Parcels: the warehouse names them, carriers know them by their tracking numbers.

use super::fact::{Fact, is_belief, lines, lines_ever, scope_of};
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
    /// Numbers that ended and in whose place their name has another one, as they were written.
    given_up: BTreeMap<String, String>,
    /// The order's lines as they are now.
    present: BTreeSet<String>,
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
        if listed.is_empty() { self.with(|parcel| !self.lists(parcel)) } else { listed }
    }

    /// Does it list a line that the order has?
    fn lists(&self, parcel: &Parcel) -> bool {
        parcel.lines.iter().any(|line| self.present.contains(line))
    }

    /// The parcels of which nobody said what is in them and that were heard of first after a moment; none as long
    /// as another line may lie in them.
    pub(super) fn listing_nothing_since(&self, moment: DateTime<Utc>) -> Vec<String> {
        let is_listed = |line: &String| self.by_name.values().any(|p| p.lines.contains(line));
        if !self.present.iter().all(is_listed) {
            return Vec::new();
        }
        self.with(|parcel| parcel.lines.is_empty() && parcel.since > Some(moment))
    }

    /// Was a parcel heard of first after a moment?
    pub(super) fn began_after(&self, name: &str, moment: DateTime<Utc>) -> bool {
        self.by_name.get(name).is_some_and(|parcel| parcel.since > Some(moment))
    }

    /// Did a parcel hold what is no part of the order any more, and nothing else?
    pub(super) fn holds_others(&self, name: &str) -> bool {
        self.by_name.get(name).is_some_and(|p| !p.lines.is_empty() && !self.lists(p))
    }

    /// Is it the parcel of a number that was given up?
    pub(super) fn is_given_up(&self, name: &str) -> bool {
        self.given_up.values().any(|number| number == name)
    }

    /// The lines of a parcel that the order has.
    pub(super) fn lines_of(&self, parcel: &Parcel) -> Vec<String> {
        parcel.lines.iter().filter(|line| self.present.contains(*line)).cloned().collect()
    }

    fn with(&self, test: impl Fn(&Parcel) -> bool) -> Vec<String> {
        self.by_name.iter().filter(|(_, p)| test(p)).map(|(name, _)| name.clone()).collect()
    }

    /// The parcel of a number that was given up and in whose place its name has another one by now: a shop books
    /// another carrier under the name that the parcel had. What was said of the number is the number's.
    fn of_given_up(&self, fact: &Fact<'_>) -> Option<String> {
        self.given_up.get(&plain(fact.event.data.tracking_number.as_ref()?)).cloned()
    }

    /// Did this fact end a number whose name has another one by now?
    fn ends_old_number(&self, fact: &Fact<'_>) -> Option<(String, String)> {
        let ended = matches!(
            fact.milestone,
            Milestone::OrderCancelled | Milestone::ShipmentLost | Milestone::ShipmentReturned
        );
        let number = fact.event.data.tracking_number.as_ref().filter(|_| ended)?;
        let newest = self.newest.get(self.names.get(&plain(number))?)?;
        (*newest != plain(number)).then(|| (plain(number), number.clone()))
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
        fact.parcel = parcels.of_given_up(fact).or_else(|| parcels.of(fact.event));
    }
    let told = lines_ever(facts);
    // That a report was believed tells nothing of the parcel.
    for fact in facts.iter().filter(|fact| fact.stands() && !is_belief(fact)) {
        if let Some(name) = &fact.parcel {
            parcels.by_name.entry(name.clone()).or_default().learn(fact, &told);
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
    let ended = standing().filter_map(|fact| parcels.ends_old_number(fact)).collect();
    parcels.given_up = ended;
    parcels.present = lines(facts).into_iter().map(|line| line.line).collect();
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
