//! Floors and ours in one run on one server.

fn main() {}
