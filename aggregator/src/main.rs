//! The aggregator: `serve` (default), `migrate`, `openapi`, `config`.

use std::process::ExitCode;
use tikv_jemallocator::Jemalloc;

/// Two fifths of the time went into the C library's allocator (see docs/adr/0015).
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

fn main() -> ExitCode {
    aggregator::app::main()
}
