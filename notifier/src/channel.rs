//! The ways to a customer that leave the house.

pub mod email;
