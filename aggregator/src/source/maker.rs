//! Print-on-demand makers.

pub(super) mod printful;
pub(super) mod printify;
pub(super) mod gelato;
