//! Everything together: the stack, the demo, and one order checked from end to end.

pub mod port;
pub mod build;
pub mod tool;
pub mod secret;
pub mod example;
pub mod supervisor;
pub mod stack;
pub mod play;
pub mod check;
pub mod demo;
pub mod devstack;
