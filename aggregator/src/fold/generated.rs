//! Ten thousand histories that nobody thought of (split parcels, remakes, returns, corrections,
//! clocks that are ahead, repetitions), each in fifty orders of arrival: one timeline each.

use super::{counts, fold};
use crate::draft::{Draft, OrderRef};
use chrono::{DateTime, TimeDelta, Utc};
use contract::event::{Confidence, Money, OrderEvent};
use contract::id::OrderId;
use contract::milestone::Milestone;
use fastrand::Rng;
use std::collections::HashSet;

const HISTORIES: u64 = 10_000;
const ARRIVALS: usize = 50;

fn order() -> OrderId {
    "T-1".parse().unwrap()
}

/// What carriers say of a parcel, in any order.
const WAY: [Milestone; 9] = [
    Milestone::ShipmentHandedOver,
    Milestone::ShipmentInTransit,
    Milestone::ShipmentOutForDelivery,
    Milestone::ShipmentAttemptFailed,
    Milestone::ShipmentException,
    Milestone::ShipmentReturning,
    Milestone::OrderCancelled,
    Milestone::ShipmentReturned,
    Milestone::ShipmentDelivered,
];

/// A history in the making.
struct Story {
    dice: Rng,
    now: DateTime<Utc>,
    events: Vec<OrderEvent>,
}

impl Story {
    fn new(seed: u64) -> Self {
        let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        Self { dice: Rng::with_seed(seed), now, events: Vec::new() }
    }

    /// Something happens a while later, as some source tells it.
    fn tell(
        &mut self,
        source: &str,
        milestone: Milestone,
        change: impl FnOnce(&mut Draft),
    ) -> String {
        self.now += TimeDelta::minutes(self.dice.i64(0..600));
        let id = format!("{source}-{}", self.events.len());
        let mut draft =
            Draft::new(source, id.clone(), milestone, self.now, OrderRef::Order(order()));
        // Late by up to three days, or told by a clock that is up to half an hour ahead.
        let late = self.dice.i64(-30..4_320);
        draft.received_at = self.now + TimeDelta::minutes(late);
        change(&mut draft);
        self.events.push(draft.into_event(order()));
        id
    }

    fn any<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.dice.usize(..list.len())]
    }

    fn begin(&mut self, lines: usize) {
        let pieces = self.dice.u32(1..4);
        let line = |n: usize| serde_json::json!({"line": n.to_string(), "sku": format!("S{n}"), "quantity": pieces});
        let items = (1..=lines).map(|n| serde_json::from_value(line(n)).unwrap()).collect();
        self.tell("shop", Milestone::OrderPlaced, |d| d.data.items = items);
        let paid = Some(Money { amount: 900, currency: "VND".to_owned() });
        self.tell("payment", Milestone::PaymentPaid, |d| d.data.money = paid);
        for _ in 0..self.dice.usize(0..3) {
            let said = self.any(&[
                Milestone::PaymentPaid,
                Milestone::OrderOnHold,
                Milestone::OrderConfirmed,
            ]);
            self.tell("shopify", said, |d| d.data.restates = true);
        }
        self.tell("shop", Milestone::OrderConfirmed, |_| ());
    }

    fn make(&mut self, line: usize) {
        let on = |d: &mut Draft| d.data.line = Some(line.to_string());
        self.tell("manufacturing", Milestone::ProductionStarted, on);
        if self.dice.bool() {
            self.tell("manufacturing", Milestone::ProductionQcFailed, on);
            self.tell("manufacturing", Milestone::ProductionStarted, on);
        }
        self.tell("manufacturing", Milestone::ProductionFinished, on);
    }

    /// A parcel with some lines; by name, by number, or by neither.
    fn send(&mut self, parcel: usize, lines: Vec<String>) {
        let number = format!("X{parcel}");
        let named = (Some(format!("P{parcel}")), Some(number.clone()));
        self.tell("fulfilment", Milestone::FulfilmentPacked, |d| {
            (d.data.shipment, d.data.tracking_number) = named;
            d.data.lines = lines;
        });
        let on = |d: &mut Draft| d.data.tracking_number = Some(number.clone());
        for _ in 0..self.dice.usize(1..6) {
            let (code, back) = (self.any(&WAY), self.dice.u8(..10) == 0);
            self.tell("ghn", code, |d| {
                on(d);
                d.data.step_back = back;
            });
        }
        let last = self.tell("ghn", Milestone::ShipmentDelivered, |d| {
            on(d);
            d.data.confidence = Confidence::Reported;
        });
        match self.dice.u8(..5) {
            0 => {
                let withdrawn =
                    self.any(&[Milestone::InfoIgnored, Milestone::ShipmentAttemptFailed]);
                self.tell("ghn", withdrawn, |d| {
                    on(d);
                    d.data.corrects = Some(last);
                });
            }
            1 => self.confirm(),
            _ => {}
        }
    }

    /// The same moment again, surely.
    fn confirm(&mut self) {
        if let Some(mut event) = self.events.last().cloned() {
            event.id.push_str("+pulled");
            event.data.confidence = Confidence::Confirmed;
            self.events.push(event);
        }
    }

    fn end(&mut self) {
        for _ in 0..self.dice.usize(0..3) {
            let money = Some(Money { amount: self.dice.i64(1..900), currency: "VND".to_owned() });
            self.tell("payment", Milestone::PaymentRefunded, |d| d.data.money = money);
        }
        for _ in 0..self.dice.usize(..3) {
            let pieces = Some(self.dice.u32(1..3));
            self.tell("fulfilment", Milestone::OrderCancelled, |d| {
                (d.data.line, d.data.pieces) = (Some("1".to_owned()), pieces);
            });
        }
        if self.dice.u8(..8) == 0 {
            self.tell("shop", Milestone::OrderCancelled, |_| ());
        }
    }
}

fn history(seed: u64) -> Vec<OrderEvent> {
    let mut story = Story::new(seed);
    let lines = story.dice.usize(1..4);
    story.begin(lines);
    for line in 1..=lines {
        story.make(line);
    }
    let parcels = story.dice.usize(1..4);
    for parcel in 1..=parcels {
        let own = (1..=lines).filter(|line| line % parcels == parcel - 1).map(|l| l.to_string());
        let own = own.collect();
        story.send(parcel, own);
    }
    story.end();
    story.events
}

/// As the pipeline takes them: each key once.
fn accepted(arrival: &[OrderEvent]) -> Vec<OrderEvent> {
    let mut keys = HashSet::new();
    arrival.iter().filter(|event| keys.insert(event.key())).cloned().collect()
}

fn check(seed: u64) {
    let events = history(seed);
    let expected = fold(&order(), &events).unwrap();
    let counted = events.iter().filter(|event| counts(event)).count();
    assert_eq!(usize::try_from(expected.version).unwrap(), counted);
    let mut dice = Rng::with_seed(seed ^ 0x5eed);
    for _ in 0..ARRIVALS {
        let mut arrival = events.clone();
        // Some come again.
        for _ in 0..dice.usize(0..5) {
            arrival.push(events[dice.usize(..events.len())].clone());
        }
        dice.shuffle(&mut arrival);
        assert_eq!(fold(&order(), &accepted(&arrival)).unwrap(), expected, "history {seed}");
    }
}

#[test]
fn ten_thousand_histories_in_fifty_orders_of_arrival_give_one_timeline_each() {
    let half = |from: u64| move || (from..HISTORIES).step_by(2).for_each(check);
    std::thread::scope(|scope| {
        let workers = [scope.spawn(half(0)), scope.spawn(half(1))];
        for worker in workers {
            worker.join().unwrap();
        }
    });
}
