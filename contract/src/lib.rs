//! What the services say to each other and to the outside, as plain types without any I/O.
//!
//! Services never import each other: they meet here. A name of a Kafka topic, a live channel or
//! a Redis key is written in [`name`] and nowhere else.
//!
//! Floors, lowest first: a module uses only what is declared above it.

pub mod instant;
pub mod id;
pub mod milestone;
pub mod words;
pub mod customer;
pub mod event;
pub mod timeline;
pub mod feed;
pub mod message;
pub mod live;
pub mod name;
pub mod asyncapi;
