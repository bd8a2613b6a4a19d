//! Servers, and what is measured on them.

pub mod server;
pub mod usage;
