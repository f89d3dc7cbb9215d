//! What became of records that were sent together. Whoever sent them is told once, when Kafka has the last one: to be
//! woken for each is most of what many small records cost.

use rdkafka::client::ClientContext;
use rdkafka::error::KafkaError;
use rdkafka::producer::{DeliveryResult, ProducerContext};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// Hears of each record, on the client's thread.
pub(super) struct Deliveries;

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Place>;

    fn delivery(&self, result: &DeliveryResult<'_>, place: Box<Place>) {
        place.came_to(result.as_ref().map(drop).map_err(|(error, _)| error.clone()));
    }
}

/// Records that are sent together.
#[derive(Default)]
pub(super) struct Together {
    open: AtomicUsize,
    refused: Mutex<Vec<(usize, KafkaError)>>,
    done: Notify,
}

impl Together {
    /// The place of a record among them: of each one, once.
    pub(super) fn place(self: &Arc<Self>, number: usize) -> Place {
        self.open.fetch_add(1, Ordering::AcqRel);
        Place { among: self.clone(), number, is_known: false }
    }

    /// Waits until it is known of each record that has a place what became of it; gives those that Kafka does not
    /// have.
    pub(super) async fn refused(&self) -> Vec<(usize, KafkaError)> {
        // What was told before the last one had its place wakes up for nothing.
        while self.open.load(Ordering::Acquire) > 0 {
            self.done.notified().await;
        }
        std::mem::take(&mut *self.refused.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn refuse(&self, number: usize, error: KafkaError) {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).push((number, error));
    }
}

/// One record.
pub(super) struct Place {
    among: Arc<Together>,
    number: usize,
    is_known: bool,
}

impl Place {
    /// This became of it.
    pub(super) fn came_to(mut self, result: Result<(), KafkaError>) {
        self.is_known = true;
        if let Err(error) = result {
            self.among.refuse(self.number, error);
        }
    }
}

impl Drop for Place {
    /// A record that is forgotten is not delivered.
    fn drop(&mut self) {
        if !self.is_known {
            self.among.refuse(self.number, KafkaError::Canceled);
        }
        if self.among.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.among.done.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[tokio::test]
    async fn it_is_told_once_of_all_and_what_is_forgotten_is_not_delivered() {
        let together = Arc::new(Together::default());
        let [first, second, third] = [0, 1, 2].map(|number| together.place(number));
        first.came_to(Ok(()));
        second.came_to(Err(KafkaError::Canceled));
        assert!(together.refused().now_or_never().is_none(), "one is under way");
        let (refused, ()) = tokio::join!(together.refused(), async { drop(third) });
        let refused: Vec<usize> = refused.into_iter().map(|(number, _)| number).collect();
        assert_eq!(refused, [1, 2]);
        assert!(together.refused().await.is_empty(), "each is told once");
        together.place(0).came_to(Ok(()));
        let late = together.place(1);
        assert!(
            together.refused().now_or_never().is_none(),
            "it had its place after the first was told"
        );
        drop(late);
        assert_eq!(together.refused().await.len(), 1);
    }
}
