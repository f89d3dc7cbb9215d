//! Payment providers.

pub(super) mod stripe;
pub(super) mod momo;
pub(super) mod vnpay;
pub(super) mod zalopay;
