//! A batch of records through all stages, in one transaction.
//!
//! `work` reads each record (pure) → `resolve` finds the orders and parks what has none yet →
//! `accept` folds what is new (upon histories that `recall` has, `recent` ones mostly) and stores it → `batch` commits, and
//! isolates a value that the database refuses. `calm` knows whether what was said is read.

mod work;
mod ghost;
mod held;
mod name;
mod resolve;
mod recent;
mod recall;
mod agenda;
mod accept;
mod calm;
mod batch;

pub use accept::{Accepted, accept};
pub use agenda::{ESTIMATE, LEARN, Settings, Usual, asks, due_times};
pub use batch::{Pipeline, redrive};
pub use calm::Calm;
pub use name::of_others;
pub use recent::Recent;
pub use work::Work;
