//! SQL, and nothing else: one table family for each file.

pub mod notification;
pub mod delivery;
pub mod preference;
pub mod feed;
