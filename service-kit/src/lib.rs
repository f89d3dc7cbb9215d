//! What every service needs and no service should write twice.
//!
//! Floors, lowest first: a module uses only what is declared above it.

pub mod clock;
pub mod config;
pub mod trace;
pub mod span;
pub mod problem;
pub mod telemetry;
pub mod lifecycle;
pub mod health;
pub mod token;
pub mod api_key;
pub mod auth;
pub mod backoff;
pub mod postgres;
pub mod redis;
pub mod live_bus;
pub mod kafka;
pub mod http;
pub mod service;
