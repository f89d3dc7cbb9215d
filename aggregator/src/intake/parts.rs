//! Divides batches, so that what is stored side by side touches different orders: parts that touch one
//! order wait for each other's locks, and hold up a connection and a core meanwhile.

use crate::draft::{Draft, OrderRef};
use crate::pipeline::Work;
use lru::LruCache;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroUsize;
use std::sync::Arc;
use tokio::sync::Mutex;

/// A batch of more records than this is stored in parts, side by side.
const WHOLE: usize = 64;
/// Into so many parts.
const PARTS: usize = 3;
/// Other names of orders that are remembered.
const NAMES: NonZeroUsize = NonZeroUsize::new(20_000).expect("not 0");

/// Some records of a batch, and what to hold while they are stored.
pub(super) struct Part {
    pub(super) works: Vec<Work>,
    pub(super) turn: Arc<Mutex<()>>,
}

/// Who goes where. An order's records go to one part of each batch, and that part waits for the same
/// one of the batch before; so do those that name a parcel which a record before told of. To be wrong
/// costs time, nothing else: the locks in the database are what counts.
pub(super) struct Parts {
    turns: [Arc<Mutex<()>>; PARTS],
    names: LruCache<String, usize>,
}

impl Default for Parts {
    fn default() -> Self {
        Self { turns: Default::default(), names: LruCache::new(NAMES) }
    }
}

impl Parts {
    /// A batch's parts; a small one is a part by itself, and waits for nobody.
    pub(super) fn of(&mut self, works: Vec<Work>) -> Vec<Part> {
        if works.len() <= WHOLE {
            return vec![Part { works, turn: Arc::default() }];
        }
        let mut parts: [Vec<Work>; PARTS] = Default::default();
        let mut unnamed = Vec::new();
        // Those that tell names first: their order is what the names mean.
        for work in works {
            if by_order(&work) {
                parts[self.place(&work)].push(work);
            } else {
                unnamed.push(work);
            }
        }
        for work in unnamed {
            parts[self.place(&work)].push(work);
        }
        let parts = parts.into_iter().zip(&self.turns).filter(|(works, _)| !works.is_empty());
        parts.map(|(works, turn)| Part { works, turn: turn.clone() }).collect()
    }

    /// Where a record goes; the names that it tells go there too.
    fn place(&mut self, work: &Work) -> usize {
        let drafts = work.result.as_deref().unwrap_or_default();
        let place = drafts.first().map_or(0, |draft| match &draft.order {
            OrderRef::Order(order) => hashed(order.as_str()),
            OrderRef::Alias(alias) => {
                self.names.get(alias).copied().unwrap_or_else(|| hashed(alias))
            }
        });
        for name in drafts.iter().flat_map(|draft| &draft.reveals) {
            self.names.put(name.clone(), place);
        }
        place
    }
}

fn by_order(work: &Work) -> bool {
    let named = |draft: &Draft| matches!(draft.order, OrderRef::Order(_));
    work.result.as_ref().is_ok_and(|drafts| drafts.first().is_some_and(named))
}

fn hashed(name: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    usize::try_from(hasher.finish() % PARTS as u64).unwrap_or(0)
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
        let record =
            Record { topic, partition: 0, offset: 0, key: None, value, headers: HashMap::new() };
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
    fn what_is_said_of_one_order_goes_to_one_part_of_each_batch() {
        let mut parts = Parts::default();
        let batch = || (0..WHOLE).flat_map(records).collect::<Vec<_>>();
        let (first, second) = (parts.of(batch()), parts.of(batch()));
        assert_eq!((first.len(), second.len()), (PARTS, PARTS));
        let names = |part: &Part| {
            let orders = part.works.iter().filter(|work| by_order(work));
            orders.filter_map(Work::name).map(str::to_owned).collect::<HashSet<_>>()
        };
        let parcels = |part: &Part| {
            let parcels = part.works.iter().filter(|work| !by_order(work)).filter_map(Work::name);
            parcels.map(|n| n.replace("tracking:T", "TM-")).collect::<HashSet<_>>()
        };
        for (one, next) in first.iter().zip(&second) {
            assert_eq!(parcels(one), names(one));
            assert_eq!(names(one), names(next));
            assert!(Arc::ptr_eq(&one.turn, &next.turn), "one turn for both");
        }
    }

    #[test]
    fn a_small_batch_waits_for_nobody() {
        let mut parts = Parts::default();
        let [one, other] = [0, 1].map(|number| parts.of(records(number).into()).remove(0));
        assert!(!Arc::ptr_eq(&one.turn, &other.turn));
        assert_eq!(one.works.len(), 2);
    }
}
