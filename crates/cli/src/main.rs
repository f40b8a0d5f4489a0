//! The `holotype` command.
fn main() {}
