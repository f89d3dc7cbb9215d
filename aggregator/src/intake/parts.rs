//! Divides what was read together by order, so that what is stored side by side touches different orders:
//! parts that touch one order wait for each other's locks, and hold up a connection and a core meanwhile.
//! What is said of one order is stored together, which costs little more than one record of it.

use crate::draft::{Draft, OrderRef};
use crate::pipeline::Work;
use lru::LruCache;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Up to so many records are a part by themselves.
const WHOLE: usize = 64;
/// A part of more has about so many: fewer where there would be too few parts to store side by side, more
/// where there are [`PARTS`] of them.
const SIZE: usize = 300;
/// So many places, and parts at most.
const PARTS: usize = 18;
/// Other names of orders that are remembered.
const NAMES: NonZeroUsize = NonZeroUsize::new(60_000).expect("not 0");

/// Some records, and what to hold while they are stored.
pub(super) struct Part {
    pub(super) works: Vec<Work>,
    pub(super) turns: Vec<Arc<Mutex<()>>>,
}

/// Who goes where. An order has a place, and a part has the records of some places; it waits for what
/// was read before at these places. Those that name a parcel which a record before told of go where its
/// order is. To be wrong costs time, nothing else: the locks in the database are what counts.
pub(super) struct Parts {
    turns: [Arc<Mutex<()>>; PARTS],
    /// By their hashes.
    names: LruCache<u64, usize>,
}

impl Default for Parts {
    fn default() -> Self {
        Self { turns: Default::default(), names: LruCache::new(NAMES) }
    }
}

impl Parts {
    /// The parts of what was read, so many where they can be; a few records are one by themselves, and wait for nobody.
    pub(super) fn of(&mut self, works: Vec<Work>, least: usize) -> Vec<Part> {
        if works.len() <= WHOLE {
            return vec![Part { works, turns: Vec::new() }];
        }
        let count = works.len().div_ceil(SIZE).clamp(least, PARTS);
        let part_of = |place: usize| place * count / PARTS;
        let mut parts: Vec<Part> = Vec::with_capacity(count);
        parts.resize_with(count, || Part { works: Vec::new(), turns: Vec::new() });
        for (place, turn) in self.turns.iter().enumerate() {
            parts[part_of(place)].turns.push(turn.clone());
        }
        // Those that tell names first: their order is what the names mean.
        let (named, unnamed): (Vec<Work>, Vec<Work>) = works.into_iter().partition(by_order);
        for work in named.into_iter().chain(unnamed) {
            parts[part_of(self.place(&work))].works.push(work);
        }
        parts.retain(|part| !part.works.is_empty());
        parts
    }

    /// Where a record goes; the names that it tells go there too.
    fn place(&mut self, work: &Work) -> usize {
        let drafts = work.result.as_deref().unwrap_or_default();
        let place = drafts.first().map_or(0, |draft| match &draft.order {
            OrderRef::Order(order) => place_of(hashed(order.as_str())),
            OrderRef::Alias(alias) => {
                let hash = hashed(alias);
                self.names.get(&hash).copied().unwrap_or_else(|| place_of(hash))
            }
        });
        for name in drafts.iter().flat_map(|draft| &draft.reveals) {
            self.names.put(hashed(name), place);
        }
        place
    }
}

/// In batches of so many records at most (and of one at least), in their order: what is said of one order
/// alone may be much.
pub(super) fn batches(mut works: Vec<Work>, most: usize) -> impl Iterator<Item = Vec<Work>> {
    std::iter::from_fn(move || {
        let rest = works.split_off(works.len().min(most.max(1)));
        Some(std::mem::replace(&mut works, rest)).filter(|batch| !batch.is_empty())
    })
}

fn by_order(work: &Work) -> bool {
    let named = |draft: &Draft| matches!(draft.order, OrderRef::Order(_));
    work.result.as_ref().is_ok_and(|drafts| drafts.first().is_some_and(named))
}

fn hashed(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

fn place_of(hash: u64) -> usize {
    usize::try_from(hash % PARTS as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Catalog;
    use service_kit::clock;
    use service_kit::kafka::Record;
    use std::collections::{HashMap, HashSet};

    fn work(topic: &str, value: String) -> Work {
        let catalog = Catalog::open(None).unwrap();
        let (topic, value) = (topic.to_owned(), value.into_bytes());
        let record = Record {
            topic,
            partition: 0,
            offset: 0,
            key: None,
            value,
            headers: HashMap::new(),
            written_ms: None,
        };
        Work::read(&catalog, record, clock::now())
    }

    /// The warehouse's record, which names the order and its parcel, and the carrier's, which names
    /// the parcel alone.
    fn records(number: usize) -> [Work; 2] {
        let packed = format!(
            r#"{{"id":{number},"order":"TM-{number}","status":"PACKED","parcel":"P1","lines":[],"carrier":"ghn","tracking_code":"T{number}","updated":"20/11/2026 16:40:05"}}"#
        );
        let scan = format!(
            r#"{{"id":"l{number}","carrier":"ghn","tracking_number":"T{number}","code":"in_transit","ts":1795312800,"location":null,"eta":null,"reason":null,"order_ref":null}}"#
        );
        [work("source.logistics", scan), work("source.fulfilment", packed)]
    }

    #[test]
    fn what_is_said_of_one_order_goes_to_one_part_which_waits_for_what_was_read_before() {
        let mut parts = Parts::default();
        let read = |of: usize| (0..of).flat_map(records).collect::<Vec<_>>();
        let (few, many) = (parts.of(read(WHOLE), 4), parts.of(read(PARTS * SIZE), 4));
        assert_eq!((few.len(), many.len()), (4, PARTS));
        for part in few.iter().chain(&many) {
            assert_eq!(parcels(part), orders(part));
        }
        for (one, next) in few.iter().flat_map(|one| many.iter().map(move |next| (one, next))) {
            let waits =
                next.turns.iter().any(|turn| one.turns.iter().any(|t| Arc::ptr_eq(t, turn)));
            assert!(waits || orders(one).is_disjoint(&orders(next)), "they touch one order");
        }
        assert_eq!(many.iter().map(|part| part.turns.len()).sum::<usize>(), PARTS);
    }

    /// The orders that are named in a part.
    fn orders(part: &Part) -> HashSet<String> {
        let named = part.works.iter().filter(|work| by_order(work));
        named.filter_map(Work::name).map(str::to_owned).collect()
    }

    /// The orders of the parcels that are named in a part.
    fn parcels(part: &Part) -> HashSet<String> {
        let named = part.works.iter().filter(|work| !by_order(work)).filter_map(Work::name);
        named.map(|name| name.replace("tracking:T", "TM-")).collect()
    }

    #[test]
    fn a_few_records_wait_for_nobody() {
        let parts = Parts::default().of(records(0).into(), 4);
        assert_eq!(parts.len(), 1);
        assert_eq!((parts[0].works.len(), parts[0].turns.len()), (2, 0));
    }

    #[test]
    fn no_batch_is_too_large_and_nothing_is_left_out() {
        let works = || (0..7).flat_map(|_| records(0)).collect::<Vec<_>>();
        let sizes = |most| batches(works(), most).map(|batch| batch.len()).collect::<Vec<_>>();
        assert_eq!(sizes(6), [6, 6, 2]);
        assert_eq!((sizes(14), sizes(0)), (vec![14], vec![1; 14]));
    }
}
