//! Those who are connected to this gateway and have said who they are.

use crate::hub::Viewer;
use chrono::{DateTime, Utc};
use contract::live::Close;
use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One who is connected.
#[derive(Debug, Clone)]
pub struct Person {
    /// Where deliveries go.
    pub viewer: Viewer,
    /// The connection's name, as its `welcome` said.
    pub connection: Arc<str>,
    /// The customer, or `guest:<random>`.
    pub subject: Arc<str>,
    /// `websocket` or `sse`.
    pub transport: &'static str,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// The register; cheap to clone.
#[derive(Debug, Clone)]
pub struct Census {
    register: Arc<Mutex<Register>>,
    most: NonZeroU32,
}

/// A customer may have one connection more for each gateway, where that is little beside what they may
/// have: of one connection, which is what nearly everybody has, the others are told only where it counts.
const FEW: u32 = 10;

#[derive(Debug, Default)]
struct Register {
    /// Above this number of connections the others are told.
    quiet: u32,
    people: HashMap<u64, Person>,
    /// How many connections each has here.
    counts: HashMap<Arc<str>, u32>,
    /// Those of whom the other gateways have to be told.
    changed: HashSet<Arc<str>>,
}

/// One who is in the register until this is dropped.
#[derive(Debug)]
pub struct Entry {
    census: Census,
    id: u64,
}

impl Census {
    /// A register in which a customer may stand so often, over all gateways.
    #[must_use]
    pub fn new(most: NonZeroU32) -> Self {
        let register = Register { quiet: u32::from(most.get() > FEW), ..Register::default() };
        Self { register: Arc::new(Mutex::new(register)), most }
    }

    /// Somebody has come; none when they have as many connections here alone as they may.
    #[must_use]
    pub fn enter(&self, person: Person) -> Option<Entry> {
        let mut register = self.lock();
        let count = register.counts.get(&person.subject).copied().unwrap_or(0);
        if count >= self.most.get() {
            return None;
        }
        register.counted(&person.subject, count + 1);
        let id = person.viewer.id();
        register.people.insert(id, person);
        Some(Entry { census: self.clone(), id })
    }

    /// Those of these viewers who have said who they are.
    #[must_use]
    pub fn people(&self, viewers: &[u64]) -> Vec<Person> {
        let register = self.lock();
        viewers.iter().filter_map(|id| register.people.get(id).cloned()).collect()
    }

    /// How often a customer may stand here.
    pub(super) const fn most(&self) -> u32 {
        self.most.get()
    }

    /// Whose number has changed since the last call, with that number.
    pub(super) fn changed(&self) -> Vec<(Arc<str>, u32)> {
        let mut register = self.lock();
        let changed = std::mem::take(&mut register.changed);
        let count = |subject: Arc<str>| {
            let count = register.counts.get(&subject).copied().unwrap_or(0);
            (subject, count)
        };
        changed.into_iter().map(count).collect()
    }

    /// All of whom the others are told.
    pub(super) fn several(&self) -> Vec<(Arc<str>, u32)> {
        let register = self.lock();
        let several = register.counts.iter().filter(|(_, count)| **count > register.quiet);
        several.map(|(subject, count)| (subject.clone(), *count)).collect()
    }

    /// Sends so many of a customer's connections away, the newest first.
    pub(super) fn send_away(&self, subject: &str, count: usize) {
        let register = self.lock();
        let own = register.people.values().filter(|person| &*person.subject == subject);
        let mut viewers: Vec<Viewer> = own.map(|person| person.viewer.clone()).collect();
        drop(register);
        viewers.sort_unstable_by_key(|viewer| std::cmp::Reverse(viewer.id()));
        for viewer in viewers.iter().take(count) {
            viewer.end(Close::Overload);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Register> {
        self.register.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Register {
    fn counted(&mut self, subject: &Arc<str>, count: u32) {
        let before = match count {
            0 => self.counts.remove(subject),
            _ => self.counts.insert(subject.clone(), count),
        };
        if count.max(before.unwrap_or(0)) > self.quiet {
            self.changed.insert(subject.clone());
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut register = self.census.lock();
        if let Some(person) = register.people.remove(&self.id) {
            let count = register.counts.get(&person.subject).copied().unwrap_or(1);
            register.counted(&person.subject, count - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::{Delivery, Inbox};
    use futures_util::FutureExt;
    use service_kit::clock;

    fn person(subject: &str) -> (Person, Inbox) {
        let (viewer, inbox) = Viewer::new();
        let person = Person {
            viewer,
            connection: "c".into(),
            subject: subject.into(),
            transport: "sse",
            since: clock::now(),
        };
        (person, inbox)
    }

    #[test]
    fn a_customer_has_so_many_connections_and_no_more() {
        let census = Census::new(NonZeroU32::new(2).unwrap());
        let first = census.enter(person("C-1").0);
        assert_eq!(census.changed(), [("C-1".into(), 1)], "of two one is much");
        let second = census.enter(person("C-1").0);
        assert!(census.enter(person("C-1").0).is_none());
        assert!(census.enter(person("C-2").0).is_some());
        let mut changed = census.changed();
        changed.sort_unstable();
        assert_eq!(
            changed,
            [("C-1".into(), 2), ("C-2".into(), 0)],
            "who came and went is told, too"
        );
        assert_eq!(census.several(), [("C-1".into(), 2)]);
        drop(second);
        assert_eq!(census.changed(), [("C-1".into(), 1)], "the others thought it were two");
        assert!(census.enter(person("C-1").0).is_some());
        drop(first);
        assert!(census.lock().people.is_empty() && census.lock().counts.is_empty());
    }

    #[test]
    fn where_many_are_allowed_one_is_told_to_nobody() {
        let census = Census::new(NonZeroU32::new(FEW + 1).unwrap());
        let first = census.enter(person("C-1").0);
        assert!(census.changed().is_empty() && census.several().is_empty());
        let second = census.enter(person("C-1").0);
        assert_eq!(census.changed(), [("C-1".into(), 2)]);
        drop((first, second));
        assert_eq!(census.changed(), [("C-1".into(), 0)]);
    }

    #[test]
    fn the_newest_are_sent_away() {
        let census = Census::new(NonZeroU32::MAX);
        let (people, mut inboxes): (Vec<_>, Vec<_>) = (0..3).map(|_| person("C-1")).unzip();
        let _entries: Vec<_> = people.into_iter().map(|person| census.enter(person)).collect();
        census.send_away("C-1", 2);
        let told: Vec<bool> = inboxes
            .iter_mut()
            .map(|inbox| matches!(inbox.next().now_or_never(), Some(Delivery::End(_))))
            .collect();
        assert_eq!(told, [false, true, true]);
    }
}
