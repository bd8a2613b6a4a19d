//! Decisions and facts: pure, synchronous, no I/O, no clock, no randomness.
//!
//! A folder is a context, a file in it an aggregate; a file reads top to
//! bottom: what it is, state, commands, events, errors, `decide`, `apply`, tests.

pub mod aggregate;
pub mod context;
pub mod message;
pub mod values;
