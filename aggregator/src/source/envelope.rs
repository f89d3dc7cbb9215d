//! Forms of their own that many systems speak.

pub(super) mod cloudevents;
pub(super) mod debezium;
pub(super) mod epcis;
