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
    let start = clock::now() - TimeDelta::hours(12);
    let (mut all, mut count) = (Vec::new(), 0);
    while count < records {
        let number = all.len();
        let order = format!("{prefix}-{number}");
        let person = Person::number(u32::try_from(number).unwrap_or(0));
        let person = person
            .speaking(if number % 4 == 0 { "en" } else { "vi" }, format!("C-{prefix}-{number}"));
        let pace = Pace { start, speed: 12.0 };
        let mut random = fastrand::Rng::with_seed(u64::try_from(number).unwrap_or(0));
        let records = life(Kind::ALL[number % Kind::ALL.len()], &order, &person, pace, &mut random);
        count += records.len();
        all.push(History { order, person, records });
    }
    all
}

/// All records in a random order that keeps nobody's, every seventh twice.
pub(crate) fn shuffled(histories: &[History], seed: u64) -> Vec<Native> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut all: Vec<Native> = histories.iter().flat_map(|h| h.records.iter().cloned()).collect();
    let again: Vec<Native> = all.iter().filter(|_| random.u8(..7) == 0).cloned().collect();
    all.extend(again);
    random.shuffle(&mut all);
    all
}
