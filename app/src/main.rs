//! The daybook binary: roles and tools as subcommands.

fn main() {}
