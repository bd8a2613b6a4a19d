//! The invariants of the log, against a real PostgreSQL, connecting as the service does.
#![allow(clippy::disallowed_methods, reason = "tests are at the edge: they have a clock and ids")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::zombie_processes, reason = "what stops the server outlives this process")]

mod basics;
mod batches;
mod check;
mod clock;
mod density;
mod faults;
mod rights;
mod snapshots;
mod support;
mod under_way;
mod writers;
