//! In which order records come: orders are placed one after the other, each lives its life, and what is told of
//! it comes as it happens; some of it late, and some of it twice.

use chrono::{DateTime, TimeDelta, Utc};
use service_kit::kafka::Outgoing;

/// Between two orders. Lives here run twelve times as fast as a shop's: there it is 4.3 s, which makes 20,000
/// orders a day.
const APART: TimeDelta = TimeDelta::milliseconds(360);
/// One record in so many is late.
const LATE: u8 = 10;
/// And one in so many comes once more.
const TWICE: u8 = 7;
/// By so much at most: a day of the shop's.
const BY: TimeDelta = TimeDelta::hours(2);

/// A record, and when what it says happens.
#[derive(Clone)]
pub(super) struct Told {
    pub(super) at: DateTime<Utc>,
    pub(super) record: Outgoing,
}

/// Records that are to come, each with its time.
pub(super) struct Arrivals {
    open: Vec<(TimeDelta, Outgoing)>,
    random: fastrand::Rng,
}

impl Arrivals {
    pub(super) fn new(seed: u64) -> Self {
        Self { open: Vec::new(), random: fastrand::Rng::with_seed(seed) }
    }

    /// What comes before the order after these is placed; the first of these has this number.
    pub(super) fn until(&mut self, first: usize, lives: Vec<Vec<Told>>) -> Vec<Outgoing> {
        let next = placed(first + lives.len());
        for (number, life) in (first..).zip(lives) {
            self.add(placed(number), life);
        }
        self.open.sort_by_key(|(at, _)| *at);
        let count = self.open.partition_point(|(at, _)| *at < next);
        self.open.drain(..count).map(|(_, record)| record).collect()
    }

    /// What is left.
    pub(super) fn rest(self) -> Vec<Outgoing> {
        self.open.into_iter().map(|(_, record)| record).collect()
    }

    fn add(&mut self, placed: TimeDelta, life: Vec<Told>) {
        let Some(born) = life.first().map(|told| told.at) else { return };
        for Told { at, record } in life {
            let at = placed + (at - born);
            let late = self.random.u8(..LATE) == 0;
            let comes = if late { at + self.some_time() } else { at };
            if self.random.u8(..TWICE) == 0 {
                let again = at + self.some_time();
                self.open.push((again, record.clone()));
            }
            self.open.push((comes, record));
        }
    }

    fn some_time(&mut self) -> TimeDelta {
        TimeDelta::milliseconds(self.random.i64(..BY.num_milliseconds()))
    }
}

/// When the order of this number is placed, since the first.
fn placed(number: usize) -> TimeDelta {
    APART * i32::try_from(number).unwrap_or(i32::MAX)
}
