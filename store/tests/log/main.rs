//! The invariants of the log, against a real PostgreSQL, connecting as the service does.
#![allow(clippy::disallowed_methods, reason = "tests are at the edge: they have a clock and ids")]
#![allow(unreachable_pub, reason = "a test binary has no public")]

mod basics;
mod support;
