//! The `orderlens` binary: parse, run, report.

use clap::Parser;

fn main() -> miette::Result<()> {
    orderlens::cli::run(orderlens::cli::Cli::parse())
}
