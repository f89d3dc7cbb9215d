//! The realtime gateway: `serve` (default), `openapi`, `config`.

use std::process::ExitCode;
use tikv_jemallocator::Jemalloc;

/// A tenth of what a state costs that a thousand watch (see docs/adr/0015).
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    realtime_gateway::app::main()
}
