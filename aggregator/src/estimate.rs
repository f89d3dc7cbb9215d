//! When an order will be there, by what the shop's own finished orders took. Pure.
//!
//! `course` reads off a timeline when each line reached which stage → `group` names the orders
//! that it is like, the narrowest first → `lesson` is what a finished order teaches about them →
//! `sample` keeps what was learned of a group → `forecast` puts the stages that are left together
//! → `score` says how often forecasts were right.

mod sample;
mod course;
mod group;
mod lesson;
mod forecast;
mod score;
#[cfg(test)]
mod tests;

pub use forecast::{Forecast, due_at, forecast, needs};
pub use group::{Traits, quiet_groups, quiet_groups_of};
pub use lesson::{Lesson, lessons};
pub use sample::{Book, MOST_SAMPLES, Patience, Samples};
pub use score::Score;
