//! Development only: starts `PostgreSQL`, Redis and Kafka, the provider fakes and a simulated
//! shop; runs the whole product (`cargo demo`) and everything that must hold (`cargo verify`).
//!
//! Floors, lowest first: a module uses only what is declared above it.

pub mod host;
pub mod server;
pub mod manifest;
pub mod shop;
pub mod fake;
pub mod client;
pub mod run;
pub mod testing;
pub mod verify;
pub mod cli;
