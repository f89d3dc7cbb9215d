//! Many lives at once, all of them in the last hours, so that no clock changes what comes out.

use chrono::TimeDelta;
use devstack::shop::life::{Kind, Pace, life};
use devstack::shop::native::Native;
use devstack::shop::people::Person;
use service_kit::clock;

/// One order with its records.
pub(crate) struct History {
    pub(crate) order: String,
    pub(crate) person: Person,
    pub(crate) records: Vec<Native>,
}

/// As many orders as give so many records.
pub(crate) fn histories(prefix: &str, records: usize) -> Vec<History> {
    let (mut all, mut count) = (Vec::new(), 0);
    while count < records {
        let next = history(prefix, all.len());
        count += next.records.len();
        all.push(next);
    }
    all
}

/// The order of a number.
pub(crate) fn history(prefix: &str, number: usize) -> History {
    let start = clock::now() - TimeDelta::hours(12);
    let order = format!("{prefix}-{number}");
    let person = Person::number(u32::try_from(number).unwrap_or(0));
    let language = if number.is_multiple_of(4) { "en" } else { "vi" };
    let person = person.speaking(language, format!("C-{prefix}-{number}"));
    let pace = Pace { start, speed: 12.0 };
    let mut random = chance_of(&order);
    let records = life(Kind::ALL[number % Kind::ALL.len()], &order, &person, pace, &mut random);
    History { order, person, records }
}

/// What is random about an order. Of its whole number, so that no two orders have one tracking number.
pub(crate) fn chance_of(order: &str) -> fastrand::Rng {
    let seed = order.bytes().fold(7_u64, |seed, b| seed.wrapping_mul(131).wrapping_add(b.into()));
    fastrand::Rng::with_seed(seed)
}

/// All records in a random order that keeps nobody's, every seventh twice.
pub(crate) fn shuffled(histories: &[History], seed: u64) -> Vec<Native> {
    mixed(histories.iter().flat_map(|h| h.records.iter().cloned()).collect(), seed)
}

/// The same of any records.
pub(crate) fn mixed<R: Clone>(mut all: Vec<R>, seed: u64) -> Vec<R> {
    let mut random = fastrand::Rng::with_seed(seed);
    let again: Vec<R> = all.iter().filter(|_| random.u8(..7) == 0).cloned().collect();
    all.extend(again);
    random.shuffle(&mut all);
    all
}
