//! Carriers of Viet Nam that call back themselves.

pub(super) mod ghn;
pub(super) mod ghtk;
pub(super) mod viettelpost;
pub(super) mod ems;
pub(super) mod nhattin;
pub(super) mod ghsv;
