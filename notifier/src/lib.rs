//! Tells the customer, before the customer has to ask.
//!
//! A message's way: `intake` reads `order.timeline` → `plan` (pure: `rule` → `preference` →
//! what goes where) → rows in one transaction (`store`) → `dispatch` claims what is due, renders
//! it (`letter`) and hands it to a `channel`, whose one `outcome` decides: done, again, or over.
//! The feed is written in the planning transaction and published live by `feed`.
//!
//! Floors, lowest first: a module uses only what is declared above it.

pub mod config;
pub mod metric;
pub mod outcome;
pub mod plan;
pub mod letter;
pub mod store;
pub mod channel;
pub mod intake;
pub mod dispatch;
pub mod feed;
pub mod api;
pub mod app;
