//! The `orderlens` binary: parse, run, report.

use clap::Parser;

/// An answer is many small allocations: a fifth of a profile of `serve` was the system's malloc.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> miette::Result<()> {
    orderlens::cli::run(orderlens::cli::Cli::parse())
}
