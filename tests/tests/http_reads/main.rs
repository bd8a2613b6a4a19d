//! The read side over HTTP, on a real PostgreSQL, beside the write side whose addresses it shares.
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a test is a crate of its own, and stops where it fails"
)]
#![allow(clippy::disallowed_methods, reason = "tests read the clock and make ids")]

mod audit;
mod diff;
mod events;
mod journals;
mod keys;
mod past;
mod permissions;
mod service;
mod tables;
