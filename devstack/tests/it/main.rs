//! The whole line, against the running stack: real servers, real services, real protocols.
#![allow(missing_docs, reason = "tests")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod ask;
mod bad_input;
mod bus;
mod calm;
mod cluster;
mod estimate;
mod history;
mod limit;
mod live;
mod names;
mod operate;
mod readers;
mod reading;
mod refused;
mod revoke;
mod slipped;
mod parcels;
mod held;
mod share;
mod span;
mod tool;
mod webhook;
mod wire;
