//! The `orderlens` binary.

fn main() {}
