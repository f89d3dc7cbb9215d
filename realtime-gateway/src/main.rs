//! The realtime gateway: `serve` (default), `openapi`, `config`.

use std::process::ExitCode;

fn main() -> ExitCode {
    realtime_gateway::app::main()
}
