//! The shop's own systems, each in a form of its own. A code that they do not have is refused:
//! the shop can mend it.

pub(super) mod shop;
pub(super) mod payment;
pub(super) mod manufacturing;
pub(super) mod fulfilment;
pub(super) mod logistics;
