//! The read side: events to rows, audit_logs, rebuild, as-of, queries.
//!
//! A projection is a pure, synchronous function: one recorded event and the rows it touches in, the
//! rows out. It never runs SQL. The same function serves live projection, rebuild and as-of.

#[macro_use]
mod read_model;

pub mod as_of;
pub mod audit;
pub mod banking;
pub mod between;
pub mod catalog;
pub mod columns;
pub mod content;
pub mod contracts;
pub mod datacentre;
mod digest;
pub mod http;
pub mod identity;
pub mod names;
pub mod open_banking;
pub mod organizations;
pub mod parked;
pub mod platform;
pub mod posted;
pub mod queries;
pub mod rebuild;
pub mod recycling;
pub mod replay;
pub mod row_topics;
pub mod rows;
pub mod services;
pub mod support;
pub mod table;
mod together;
pub mod twin;
pub mod worker;
mod write;

pub use posted::{Lag, Posted, WaitError};
pub use worker::{Worker, WorkerError, WorkerOptions};
