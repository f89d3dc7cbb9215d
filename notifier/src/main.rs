//! The notifier: `serve` (default), `migrate`, `openapi`, `config`.

use std::process::ExitCode;

fn main() -> ExitCode {
    notifier::app::main()
}
