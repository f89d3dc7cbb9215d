//! When each record was handed in, when Kafka had it, and when it was published.

use service_kit::clock;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Milliseconds since 1970, by the clock that Kafka's broker on this machine goes by, too.
pub(super) fn now() -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 are below 2^53")]
    let micros = clock::now().timestamp_micros() as f64;
    micros / 1000.0
}

/// One record's times.
struct Writing {
    version: u64,
    asked: f64,
    in_kafka: Option<f64>,
    published: Option<f64>,
}

/// The records that were written, by order; cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Writings(Arc<Mutex<HashMap<String, Vec<Writing>>>>);

impl Writings {
    pub(super) fn asked(&self, order: &str, version: u64) {
        let writing = Writing { version, asked: now(), in_kafka: None, published: None };
        self.all().entry(order.to_owned()).or_default().push(writing);
    }

    pub(super) fn in_kafka(&self, order: &str, version: u64, at: f64) {
        for writing in self.all().get_mut(order).into_iter().flatten() {
            if writing.version == version {
                writing.in_kafka = Some(at);
            }
        }
    }

    /// A state is whole: it tells what came before it too.
    pub(super) fn published(&self, order: &str, version: u64, at: f64) {
        for writing in self.all().get_mut(order).into_iter().flatten() {
            if writing.version <= version {
                writing.published.get_or_insert(at);
            }
        }
    }

    pub(super) fn are_published(&self) -> bool {
        self.all().values().flatten().all(|writing| writing.published.is_some())
    }

    /// Forgets everything, and gives of what was published how long that took: since Kafka had it, and
    /// since it was handed in.
    pub(super) fn take(&self) -> (Vec<f64>, Vec<f64>) {
        let all = std::mem::take(&mut *self.all());
        let took = |writing: Writing| {
            let published = writing.published?;
            Some((published - writing.in_kafka?, published - writing.asked))
        };
        all.into_values().flatten().filter_map(took).unzip()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Vec<Writing>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
