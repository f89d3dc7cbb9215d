//! Folds what payment, production, fulfilment and carriers say about an order into one timeline.
//!
//! A record's way, top to bottom: `intake` reads a batch from Kafka → `source` turns each record
//! into drafts of canonical events (pure) → `validate` refuses or cleans them (pure) →
//! `pipeline` finds their orders, parks what has none yet, folds (`fold`, pure) and stores
//! everything in one transaction (`store`) → `relay` publishes the outbox to Redis and Kafka.
//! `sweep` says what becomes true by the clock alone, through the same pipeline; `ask` asks those
//! who do not call.
//!
//! Floors, lowest first: a module uses only what is declared above it.

pub mod config;
pub mod metric;
pub mod reject;
pub mod day;
pub mod draft;
pub mod question;
pub mod source;
pub mod validate;
pub mod fold;
pub mod turn;
pub mod estimate;
pub mod promise;
pub mod silence;
pub mod store;
pub mod shelf;
pub mod pipeline;
pub mod relay;
pub mod sweep;
pub mod webhook;
pub mod ask;
pub mod replay;
pub mod rebuild;
pub mod import;
pub mod calibrate;
pub mod api;
pub mod intake;
pub mod tool;
pub mod app;
