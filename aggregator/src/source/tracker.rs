//! Services that follow many carriers. Each of their records repeats a parcel's whole journey:
//! every checkpoint is an event of its own, the same each time it is repeated, and the state is
//! one more where it says something that no checkpoint does.

pub(super) mod journey;
pub(super) mod aftership;
pub(super) mod easypost;
pub(super) mod seventeentrack;
pub(super) mod shippo;
pub(super) mod karrio;
