//! Daybook, assembled: configuration, the database it runs on, its roles and its tools.
//!
//! The binary `daybook` is one call into [`cli`]; end-to-end tests use the same parts.

pub mod cli;
pub mod config;
pub mod database;
pub mod dev;
pub mod doctor;
pub mod http;
pub mod import;
pub mod network;
pub mod retell;
mod scheduler;
pub mod serve;
pub mod sides;
pub mod signals;
pub mod telemetry;
pub mod upkeep;
pub mod workbench;
pub mod world;
