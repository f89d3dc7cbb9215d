//! A thread is one thing's story: the whole order, a line item, a parcel. Its fold is its state.

use super::fact::{Fact, is_belief, lines};
use super::parcel::Parcels;
use super::pieces::Parts;
use chrono::{DateTime, Utc};
use contract::event::{Confidence, LineItem};
use contract::milestone::{Kind, Milestone, Scope};
use contract::timeline::Item;
use std::cmp::Reverse;

/// Where a thing stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    pub(super) code: Milestone,
    pub(super) since: DateTime<Utc>,
    pub(super) reason: Option<String>,
    pub(super) shipment: Option<String>,
    /// Its source itself calls it provisional.
    pub(super) reported: bool,
    /// A platform says so of a parcel of its own.
    pub(super) by_platform: bool,
}

impl State {
    /// A platform that calls off one of its parcels takes back that these lines were sent, until it is heard of
    /// again. (A cancelled order it tells as such.)
    fn is_taken_back(&self) -> bool {
        self.by_platform && self.code == Milestone::OrderCancelled
    }
}

/// The state, and the last step towards the door that was reached on the way.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Thread {
    pub(super) state: Option<State>,
    pub(super) forward: Option<Milestone>,
    /// Its platform took back once that it was sent.
    taken_back: bool,
}

impl Thread {
    /// Folds facts in their order. A lower rank never replaces a higher one, unless the mapping
    /// declared a step back, it corrects another event, or what it replaces is a problem; a terminal state
    /// stays, but one that was only reported may be stepped back from and is left by trouble, a return or
    /// another end of the same parcel, what corrects an event of its rank takes it back, and a parcel that its
    /// platform called off is left by what shows that it is sent.
    pub(super) fn fold<'a>(facts: impl Iterator<Item = &'a Fact<'a>>) -> Self {
        let mut thread = Self::default();
        facts.filter(|fact| tells(fact)).for_each(|fact| thread.take(fact));
        thread
    }

    fn take(&mut self, fact: &Fact<'_>) {
        let (next, data) = (fact.milestone, &fact.event.data);
        let allowed = self.state.as_ref().is_none_or(|now| {
            let over = now.code.is_terminal();
            let contradicts =
                next.is_problem() || next.kind() == Kind::Return || next.is_terminal();
            (now.is_taken_back() && is_sent(fact))
                || (data.step_back && may_step_back(now, fact))
                || (over && now.reported && contradicts && fact.scope() == Scope::Shipment)
                || (data.corrects.is_some()
                    && (!over || fact.corrects_rank >= Some(now.code.rank())))
                || (!over && (now.code.is_problem() || next.rank() >= now.code.rank()))
        });
        if !allowed {
            return;
        }
        self.state = Some(State {
            code: next,
            since: fact.at,
            reason: data.reason.clone(),
            shipment: fact.parcel.clone(),
            reported: data.confidence == Confidence::Reported,
            by_platform: is_platforms(fact),
        });
        self.taken_back |= self.state.as_ref().is_some_and(State::is_taken_back);
        // That it is paid, or confirmed again, undoes no step.
        let behind = |far: Milestone| next.scope() == Scope::Order && next.rank() < far.rank();
        if leads_on(next) && !self.forward.is_some_and(behind) {
            self.forward = Some(next);
        }
    }

    /// The state's code; an order that nothing is known of was at least placed.
    pub(super) fn code(&self) -> Milestone {
        self.state.as_ref().map_or(Milestone::OrderPlaced, |state| state.code)
    }

    /// What is wrong with it.
    pub(super) fn trouble(&self) -> Option<&State> {
        self.state.as_ref().filter(|state| state.code.is_problem())
    }

    /// When it ended without having arrived.
    fn in_vain(&self) -> Option<DateTime<Utc>> {
        let state = self.state.as_ref().filter(|_| self.finished())?;
        (state.code != Milestone::ShipmentDelivered).then_some(state.since)
    }

    /// Nothing more is expected.
    pub(super) fn finished(&self) -> bool {
        self.code().is_terminal()
    }
}

/// Does a platform tell of a parcel of its own?
fn is_platforms(fact: &Fact<'_>) -> bool {
    fact.event.data.restates && fact.event.data.shipment.is_some()
}

/// Does it show that a parcel is sent? A label does so only as the platform's: the carrier may tell of one that is
/// void by now.
fn is_sent(fact: &Fact<'_>) -> bool {
    let label = is_platforms(fact) && fact.milestone == Milestone::ShipmentLabelCreated;
    let on_its_way = Milestone::ShipmentHandedOver.rank()..=Milestone::ShipmentDelivered.rank();
    let next = fact.milestone;
    let moves = !next.is_problem() && on_its_way.contains(&next.rank());
    fact.scope() == Scope::Shipment && (label || moves)
}

/// May a declared step back be taken? An end is left by its own parcel's, if it was only reported; what the workshop
/// does over again takes back no parcel that is on its way; and what goes back to the shop passes the same places
/// once more, until somebody brings it again.
fn may_step_back(now: &State, fact: &Fact<'_>) -> bool {
    let next = fact.milestone.rank();
    match fact.scope() {
        Scope::Item => now.code.rank() < Milestone::ShipmentHandedOver.rank(),
        _ if now.code.is_terminal() => now.reported && fact.scope() == Scope::Shipment,
        _ => !now.code.goes_back() || next >= Milestone::ShipmentOutForDelivery.rank(),
    }
}

/// Does a fact tell where a thing is? That a report was believed is a mark on the report.
fn tells(fact: &Fact<'_>) -> bool {
    let aside = matches!(fact.milestone.kind(), Kind::Side | Kind::Info);
    fact.stands() && !aside && !is_belief(fact)
}

/// Is it on the way to the door? An order that is held, or not paid, has not come further by that.
pub(super) fn leads_on(code: Milestone) -> bool {
    let held = code.is_problem() && code.scope() == Scope::Order;
    !held && code.rank() <= Milestone::ShipmentDelivered.rank()
}

/// The order's own thread. A problem of the whole order is left by any later step of any part.
pub(super) fn order(facts: &[Fact<'_>]) -> Thread {
    let mut thread = Thread::default();
    for fact in facts.iter().filter(|fact| tells(fact)) {
        if fact.scope() == Scope::Order {
            thread.take(fact);
        } else if thread.code().is_problem() && fact.milestone.rank() > thread.code().rank() {
            thread.state = None;
        }
    }
    thread
}

/// A line item with the story of its least advanced parcel.
pub(super) struct ItemThread {
    line: LineItem,
    shipment: Option<String>,
    pub(super) thread: Thread,
    /// The worst trouble of all its parcels that are under way.
    pub(super) trouble: Option<State>,
}

impl ItemThread {
    /// The line's number; empty for an order whose lines nobody told.
    pub(super) fn line(&self) -> Option<String> {
        (!self.line.line.is_empty()).then(|| self.line.line.clone())
    }

    /// The parcel that tells where it is.
    pub(super) fn parcel(&self) -> Option<&str> {
        self.shipment.as_deref()
    }

    /// As it is shown.
    pub(super) fn item(&self) -> Item {
        Item {
            line: self.line.line.clone(),
            sku: self.line.sku.clone(),
            title: self.line.title.clone(),
            quantity: self.line.quantity,
            status: self.thread.code(),
            shipment: self.shipment.clone(),
        }
    }
}

/// All line items.
pub(super) fn items(facts: &[Fact<'_>], parcels: &Parcels, parts: &Parts) -> Vec<ItemThread> {
    let told: Vec<&Fact<'_>> = facts.iter().filter(|fact| !parts.has(fact)).collect();
    lines(facts).into_iter().map(|line| item(line, &told, parcels)).collect()
}

fn item(line: LineItem, facts: &[&Fact<'_>], parcels: &Parcels) -> ItemThread {
    let story = |shipment: Option<&String>| {
        Thread::fold(facts.iter().copied().filter(|fact| match fact.scope() {
            Scope::Order => true,
            Scope::Item => is_of(fact, &line),
            Scope::Shipment => shipment.is_some() && fact.parcel.as_ref() == shipment,
        }))
    };
    let stories_of = |names: Vec<String>| -> Vec<Story> {
        names.into_iter().map(|name| (story(Some(&name)), Some(name))).collect()
    };
    let mut stories = stories_of(parcels.holding(&line.line));
    let ends: Option<Vec<_>> = stories.iter().map(|(thread, _)| thread.in_vain()).collect();
    if let Some(ended) = ends.and_then(|ends| ends.into_iter().max()) {
        // It is sent again: in a parcel of which nobody said what is in it, perhaps.
        stories.extend(stories_of(parcels.listing_nothing_since(ended)));
    }
    let given_up: Vec<bool> =
        stories.iter().map(|story| is_given_up(story, &stories, parcels)).collect();
    let mut given_up = given_up.into_iter();
    stories.retain(|(thread, _)| !given_up.next().unwrap_or(false) && !is_taken_back(thread));
    // One that was taken back once and is heard of all the same counts where there is no other.
    if stories.iter().any(|(thread, _)| !thread.taken_back) {
        stories.retain(|(thread, _)| !thread.taken_back);
    }
    if stories.is_empty() {
        stories.push((story(None), None));
    }
    let trouble = stories.iter().filter_map(|(thread, _)| thread.trouble());
    let trouble = trouble.max_by_key(|state| (state.code.rank(), Reverse(state.since))).cloned();
    let (thread, shipment) = stories.into_iter().min_by_key(behind).unwrap_or_default();
    ItemThread { line, shipment, thread, trouble }
}

/// Is a fact about this line, or about all of them?
fn is_of(fact: &Fact<'_>, line: &LineItem) -> bool {
    let said = fact.event.data.line.as_ref();
    said.is_none_or(|said| *said == line.line || line.line.is_empty())
}

fn is_taken_back(thread: &Thread) -> bool {
    thread.state.as_ref().is_some_and(State::is_taken_back)
}

/// What a line went through in one parcel.
type Story = (Thread, Option<String>);

/// Did a parcel end in vain, and is it another one that counts by now? Its name has another number, it held what
/// is no part of the order any more, or another parcel of the line was heard of after its end.
fn is_given_up((thread, name): &Story, stories: &[Story], parcels: &Parcels) -> bool {
    let (Some(end), Some(name)) = (thread.in_vain(), name) else { return false };
    let later =
        |(_, other): &Story| other.as_ref().is_some_and(|other| parcels.began_after(other, end));
    let alone = stories.len() == 1;
    parcels.holds_others(name) || !alone && parcels.is_given_up(name) || stories.iter().any(later)
}

/// Pieces of one line may lie in several parcels: the one that is furthest behind tells, and when all are
/// through, the one that ended worst. One that was called off tells only where there is no other.
fn behind((thread, _): &Story) -> (bool, bool, i16) {
    let (code, over) = (thread.code(), thread.finished());
    let rank = i16::from(code.rank());
    (code == Milestone::OrderCancelled, over, if over { -rank } else { rank })
}
