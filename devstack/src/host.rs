//! The machine underneath: terminal, folders, processes, packages.

pub mod term;
pub mod folder;
pub mod process;
pub mod install;
