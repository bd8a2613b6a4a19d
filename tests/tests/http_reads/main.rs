//! The read side over HTTP, on a real PostgreSQL, beside the write side whose addresses it shares.
#![allow(clippy::disallowed_methods, reason = "tests read the clock and make ids")]

mod events;
mod keys;
mod past;
mod permissions;
mod service;
mod tables;
