//! Daybook, assembled: configuration, the database it runs on, its roles and its tools.
//!
//! The binary `daybook` is one call into [`cli`]; end-to-end tests use the same parts.

pub mod config;
pub mod database;
pub mod dev;
