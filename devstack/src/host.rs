//! The machine underneath: terminal, folders, processes, packages.

pub mod term;
pub mod folder;
pub mod port;
pub mod process;
pub mod install;
