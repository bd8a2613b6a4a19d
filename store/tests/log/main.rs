//! The invariants of the log, against a real PostgreSQL, connecting as the service does.
#![allow(clippy::disallowed_methods, reason = "tests are at the edge: they have a clock and ids")]

mod basics;
mod batches;
mod check;
mod clock;
mod density;
mod faults;
mod rights;
mod support;
mod writers;
