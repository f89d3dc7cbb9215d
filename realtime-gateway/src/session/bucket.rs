//! A token bucket: so many a second, and as many at once.

use chrono::{DateTime, Utc};

pub(super) struct Bucket {
    rate: f64,
    left: f64,
    at: DateTime<Utc>,
}

impl Bucket {
    pub(super) fn new(per_second: u32, now: DateTime<Utc>) -> Self {
        let rate = f64::from(per_second);
        Self { rate, left: rate, at: now }
    }

    /// Takes one, if there is one. A clock that goes back gives nothing and takes nothing.
    pub(super) fn take(&mut self, now: DateTime<Utc>) -> bool {
        let seconds = (now - self.at).as_seconds_f64().max(0.0);
        self.left = (self.left + seconds * self.rate).min(self.rate);
        self.at = now;
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }
}
