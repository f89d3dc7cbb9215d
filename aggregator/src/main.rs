//! The aggregator: `serve` (default), `migrate`, `openapi`, `config`.

use std::process::ExitCode;

fn main() -> ExitCode {
    aggregator::app::main()
}
