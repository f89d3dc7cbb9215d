//! The one place that reads the time. Everything else takes it as an input.

use chrono::{DateTime, SubsecRound, Utc};

/// Now, to the microsecond: what Postgres keeps, so that a value reads back as it was written.
#[must_use]
pub fn now() -> DateTime<Utc> {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    Utc::now().trunc_subsecs(6)
}
