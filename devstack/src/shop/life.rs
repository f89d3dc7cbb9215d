//! What can happen to an order. Pure: the same seed gives the same life.

use super::catalog::{PRODUCTS, Product};
use super::native::{self, Native, Parcel};
use super::people::Person;
use chrono::{DateTime, TimeDelta, Utc};
use clap::ValueEnum;
use serde::Deserialize;

/// The lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Nothing goes wrong.
    Plain,
    /// Two lines, two parcels.
    TwoParcels,
    /// The carrier moves its date past the promise.
    Delay,
    /// Nobody at home, then delivered.
    FailedAttempt,
    /// The first piece does not pass the check.
    Remake,
    /// Paid at the door.
    CashOnDelivery,
    /// Cancelled and paid back.
    Cancelled,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Plain,
        Self::TwoParcels,
        Self::Delay,
        Self::FailedAttempt,
        Self::Remake,
        Self::CashOnDelivery,
        Self::Cancelled,
    ];
}

/// Hours of a whole life.
pub const HOURS: f64 = 96.0;

/// Where time runs as fast as one likes.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Beginning of the life.
    pub start: DateTime<Utc>,
    /// How many hours of it pass in one hour.
    pub speed: f64,
}

impl Pace {
    fn at(self, hour: f64) -> DateTime<Utc> {
        // Milliseconds of a life fit a double exactly.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "rounded to whole milliseconds on purpose"
        )]
        let millis = (hour * 3_600_000.0 / self.speed) as i64;
        self.start + TimeDelta::milliseconds(millis)
    }
}

/// Writes one life.
struct Story<'a> {
    order: &'a str,
    person: &'a Person,
    goods: Vec<(Product, u32)>,
    pace: Pace,
    foreign: bool,
    records: Vec<Native>,
}

/// The records of one life, in the order in which things happen.
#[must_use]
pub fn life(
    kind: Kind,
    order: &str,
    person: &Person,
    pace: Pace,
    random: &mut fastrand::Rng,
) -> Vec<Native> {
    let first = random.usize(..PRODUCTS.len());
    let count = if kind == Kind::TwoParcels { 2 } else { 1 };
    let goods = (0..count)
        .map(|n| (PRODUCTS[(first + n * 2) % PRODUCTS.len()], random.u32(1..3)))
        .collect();
    let foreign = person.locale == "en";
    let mut story = Story { order, person, goods, pace, foreign, records: Vec::new() };
    story.tell(kind, random.u64(10_000_000_000..99_999_999_999));
    story.records
}

impl Story<'_> {
    fn tell(&mut self, kind: Kind, number: u64) {
        self.place(kind);
        if kind == Kind::Cancelled {
            return self.cancel();
        }
        for line in 1..=self.goods.len() {
            self.make(line, kind == Kind::Remake && line == 1);
        }
        let carriers = [("ghn", "GHN"), ("viettelpost", "VTP")];
        let first = usize::from(number.is_multiple_of(2));
        let parcels: Vec<Parcel> = (0..self.goods.len())
            .map(|n| Parcel {
                name: ["P1", "P2"][n % 2],
                lines: vec![(n + 1, self.goods[n].1)],
                carrier: carriers[(first + n) % 2].0,
                tracking: format!("{}{number}{n}", carriers[(first + n) % 2].1),
            })
            .collect();
        for (n, parcel) in parcels.iter().enumerate() {
            self.pack(parcel);
            let late = if n == 1 { 12.0 } else { 0.0 };
            self.carry(parcel, kind, late);
        }
    }

    fn add(&mut self, hour: f64, make: impl FnOnce(&Self, DateTime<Utc>) -> Native) {
        let record = make(self, self.pace.at(hour));
        self.records.push(record);
    }

    fn place(&mut self, kind: Kind) {
        // A delay is only a delay if the promise is near.
        let days = if kind == Kind::Delay { 1 } else { 6 };
        let promise = (self.pace.start + TimeDelta::days(days)).date_naive();
        self.add(0.0, |s, at| native::placed(at, s.order, s.person, &s.goods, promise));
        let amount = native::total(&self.goods);
        match kind {
            Kind::CashOnDelivery => {
                self.add(0.5, |s, at| native::payment(at, s.order, "cod_due", amount));
            }
            _ if self.foreign => {
                self.add(0.5, |s, at| {
                    native::stripe(at, s.order, "payment_intent.created", amount)
                });
                self.add(1.0, |s, at| {
                    native::stripe(at, s.order, "payment_intent.succeeded", amount)
                });
            }
            _ => {
                self.add(0.5, |s, at| native::payment(at, s.order, "pending", amount));
                self.add(1.0, |s, at| native::payment(at, s.order, "captured", amount));
            }
        }
        self.add(5.0, |s, at| native::shop(at, s.order, "order.confirmed", None));
    }

    fn cancel(&mut self) {
        self.add(12.0, |s, at| native::work(at, s.order, 1, ("ARTWORK", "STARTED"), "Thiết kế", 1));
        self.add(30.0, |s, at| {
            native::shop(at, s.order, "order.cancelled", Some("customer_request"))
        });
        let amount = native::total(&self.goods);
        self.add(40.0, |s, at| native::payment(at, s.order, "refund_pending", amount));
        self.add(60.0, |s, at| native::payment(at, s.order, "refunded", amount));
    }

    fn make(&mut self, line: usize, remake: bool) {
        let product = self.goods[line - 1].0;
        let stage = product.stage;
        let mut steps = vec![
            (9.0, "ARTWORK", "STARTED"),
            (14.0, "ARTWORK", "FINISHED"),
            (17.0, stage, "QUEUED"),
            (22.0, stage, "STARTED"),
            (30.0, stage, "FINISHED"),
        ];
        if remake {
            steps.extend([
                (32.0, "QC", "FAILED"),
                (34.0, stage, "STARTED"),
                (37.0, stage, "FINISHED"),
            ]);
        }
        steps.push((40.0, "QC", "FINISHED"));
        for (sequence, (hour, stage, state)) in (1..).zip(steps) {
            let late = f64::from(u32::try_from(line).unwrap_or(1)) * 0.4;
            self.add(hour + late, |s, at| {
                native::work(at, s.order, line, (stage, state), product.station, sequence)
            });
        }
    }

    fn pack(&mut self, parcel: &Parcel) {
        let steps = [
            (43.0, "ALLOCATED"),
            (45.0, "PICKED"),
            (48.0, "PACKED"),
            (50.0, "LABEL_CREATED"),
            (55.0, "HANDED_OVER"),
        ];
        for (hour, status) in steps {
            self.add(hour, |s, at| native::fulfilment(at, s.order, status, parcel));
        }
    }

    fn carry(&mut self, parcel: &Parcel, kind: Kind, late: f64) {
        let [depot, office] = self.person.stops;
        self.scan(60.0 + late, parcel, "in_transit", "Kho Thủ Đức", Some([20, 44]));
        if kind == Kind::Delay {
            self.scan(66.0, parcel, "eta_revised", "Kho Thủ Đức", Some([60, 84]));
        }
        self.scan(70.0 + late, parcel, "in_transit", depot, None);
        self.scan(80.0 + late, parcel, "out_for_delivery", office, None);
        if kind == Kind::FailedAttempt {
            self.scan(84.0, parcel, "attempt_failed", office, None);
            self.scan(90.0, parcel, "out_for_delivery", office, None);
        }
        self.scan(96.0 + late, parcel, "delivered", office, None);
    }

    /// GHN tells us itself what it has a status for; everything else goes through the hub. The
    /// expected time is given in hours from the scan, in real time: it is a promise to a person.
    fn scan(&mut self, hour: f64, parcel: &Parcel, code: &str, place: &str, eta: Option<[i64; 2]>) {
        let own = match code {
            "in_transit" if eta.is_none() => Some("transporting"),
            "out_for_delivery" => Some("delivering"),
            "attempt_failed" => Some("delivery_fail"),
            "delivered" => Some("delivered"),
            _ => None,
        };
        match own.filter(|_| parcel.carrier == "ghn") {
            Some(status) => self.add(hour, |s, at| native::ghn(at, s.order, parcel, status, place)),
            None => self.add(hour, |_, at| {
                let eta = eta.map(|hours| hours.map(|h| at + TimeDelta::hours(h)));
                native::logistics(at, parcel, code, place, eta)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tell(kind: Kind, seed: u64) -> Vec<Native> {
        let start = DateTime::parse_from_rfc3339("2026-11-20T01:00:00Z").unwrap().to_utc();
        let pace = Pace { start, speed: 1.0 };
        life(kind, "TM-1", &Person::number(1), pace, &mut fastrand::Rng::with_seed(seed))
    }

    #[test]
    fn a_seed_is_a_life() {
        for kind in Kind::ALL {
            assert_eq!(tell(kind, 7), tell(kind, 7));
        }
        assert_ne!(tell(Kind::Plain, 7), tell(Kind::Plain, 8));
    }

    #[test]
    fn all_systems_speak() {
        let all: Vec<Native> = (0..8).flat_map(|seed| tell(Kind::TwoParcels, seed)).collect();
        for topic in ["shop", "payment", "manufacturing", "fulfilment", "logistics", "ghn"] {
            assert!(all.iter().any(|r| r.topic == format!("source.{topic}")), "{topic}");
        }
    }

    #[test]
    fn a_life_takes_four_days() {
        let last = tell(Kind::Plain, 7).last().unwrap().at;
        let first = tell(Kind::Plain, 7)[0].at;
        assert_eq!((last - first).num_hours(), 96);
    }
}
