//! Shops' own platforms. Their records repeat the whole order each time: what one says again is
//! marked as a repetition, and the fold shows it once.

pub(super) mod snapshot;
pub(super) mod shopify;
pub(super) mod woocommerce;
