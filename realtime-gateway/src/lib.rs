//! The public edge: live updates by WebSocket and SSE, and the one entry point for clients.
//!
//! An update's way: `bus` reads all 64 shards of Redis → `hub` knows who watches the channel
//! here (mostly nobody) → each viewer's `session` (pure) lets newer versions through →
//! `transport` writes it. A viewer always converges to the newest version: what pub/sub loses,
//! `bus` notices by the shards' numbers and `repair` reads again through `snapshot`'s ladder. Who a
//! viewer is, `authenticator` says; what its token opened is left as soon as `denied` has it.
//!
//! Floors, lowest first: a module uses only what is declared above it.

pub mod config;
pub mod metric;
pub mod frame;
pub mod state;
pub mod denied;
pub mod authenticator;
pub mod session;
pub mod hub;
pub mod line;
pub mod census;
pub mod upstream;
pub mod snapshot;
pub mod repair;
pub mod bus;
pub mod drain;
pub mod gateway;
pub mod ticket;
pub mod transport;
pub mod edge;
pub mod app;
