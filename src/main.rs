//! The `orderlens` binary: parse, run, report.

use clap::Parser;

fn main() -> miette::Result<()> {
    Ok(())
}
