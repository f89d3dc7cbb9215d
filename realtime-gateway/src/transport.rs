//! The two shells around a session: WebSocket and SSE. Both drain the same queue.

mod connection;
pub mod upgrade;
mod socket;
pub mod websocket;
pub mod sse;
