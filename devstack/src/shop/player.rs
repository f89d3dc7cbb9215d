//! Plays lives into Kafka.

use super::arrival::{Arrival, arrivals};
use super::life::{HOURS, Kind, Pace, life};
use super::people::Person;
use serde::Serialize;
use service_kit::clock;
use service_kit::kafka::{Outgoing, Producer};
use service_kit::lifecycle::Lifecycle;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A life takes so many seconds when no speed is asked for.
const SECONDS: f64 = 90.0;
/// Orders that the page lists.
const LISTED: usize = 12;

/// An order that was begun.
#[derive(Debug, Clone, Serialize)]
pub struct Begun {
    /// Order number.
    pub order: String,
    /// Customer number.
    pub customer: String,
    /// What will happen to it.
    pub life: String,
}

/// Plays lives; cheap to clone.
#[derive(Clone)]
pub struct Player {
    life: Lifecycle,
    producer: Producer,
    speed: f64,
    next: Arc<AtomicU32>,
    begun: Arc<Mutex<VecDeque<Begun>>>,
}

impl Player {
    /// A player with a speed (1 = real time).
    #[must_use]
    pub fn new(life: Lifecycle, producer: Producer, speed: Option<f64>) -> Self {
        let speed = speed.unwrap_or(HOURS * 3600.0 / SECONDS).max(0.01);
        Self { life, producer, speed, next: Arc::new(AtomicU32::new(1001)), begun: Arc::default() }
    }

    /// Keeps so many orders alive, one life after the other.
    pub fn keep_alive(self, orders: u32) {
        let gap = Duration::from_secs_f64(
            (HOURS * 3600.0 / self.speed / f64::from(orders)).clamp(0.02, 3600.0),
        );
        let soft = self.life.soft().clone();
        self.life.clone().spawn("simulated shop", async move {
            loop {
                let number = self.next.load(Ordering::Relaxed);
                let kind = Kind::ALL[number as usize % Kind::ALL.len()];
                self.begin(kind, &Person::number(number % 40));
                tokio::select! {
                    () = tokio::time::sleep(gap) => {}
                    () = soft.cancelled() => return,
                }
            }
        });
    }

    /// Begins a new order.
    pub fn begin(&self, kind: Kind, person: &Person) -> Begun {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let order = format!("TM-{number}");
        let mut random = fastrand::Rng::with_seed(u64::from(number));
        let pace = Pace { start: clock::now(), speed: self.speed };
        let records = life(kind, &order, person, pace, &mut random);
        let arrivals = arrivals(records, &mut random);
        let (player, soft) = (self.clone(), self.life.soft().clone());
        self.life.spawn_light(async move {
            tokio::select! {
                () = player.play(arrivals) => {}
                () = soft.cancelled() => {}
            }
        });
        let begun = Begun { order, customer: person.id.clone(), life: format!("{kind:?}") };
        let mut list = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        list.push_front(begun.clone());
        list.truncate(LISTED);
        begun
    }

    /// The newest orders.
    #[must_use]
    pub fn begun(&self) -> Vec<Begun> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    async fn play(&self, arrivals: Vec<Arrival>) {
        for arrival in arrivals {
            let wait = (arrival.at - clock::now()).to_std().unwrap_or_default();
            tokio::time::sleep(wait).await;
            let record = Outgoing::new(arrival.record.topic, "", arrival.record.body());
            if let Err(error) = self.producer.send(&[record]).await {
                tracing::warn!(%error, "the simulated shop lost a record");
            }
        }
    }
}
