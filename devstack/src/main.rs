//! `cargo demo`, `cargo verify`, `cargo devstack`: see the library for how it works.

use std::process::ExitCode;

fn main() -> ExitCode {
    devstack::cli::main()
}
