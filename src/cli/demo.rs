//! `orderlens demo`: a server on the shipped bundle, judging a synthetic stream.

/// Start a server on the shipped bundle and play a synthetic stream at it
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs the command.
pub fn run(_args: &Args) -> miette::Result<()> {
    Ok(())
}
