//! Decisions and facts: pure, synchronous, no I/O, no clock, no randomness.
//!
//! A folder is a context, a file in it an aggregate; a file reads top to
//! bottom: what it is, state, commands, events, errors, `decide`, `apply`, tests.
//! An aggregate too large for one file is a folder of these parts.

pub mod access;
pub mod aggregate;
pub mod banking;
pub mod catalog;
pub mod content;
pub mod context;
pub mod contracts;
pub mod datacentre;
pub mod identity;
pub mod message;
pub mod open_banking;
pub mod organizations;
pub mod platform;
pub mod recycling;
pub mod services;
pub mod support;
#[cfg(test)]
mod testing;
pub mod values;
