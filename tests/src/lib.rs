//! Support for end-to-end tests: real servers and the real binary.
//!
//! - [`TestDatabase::fresh`]: a migrated database of its own, on one PostgreSQL a test process.
//! - [`faults`]: real processes under load, disturbed on purpose.
//! - [`Kafka`]: real brokers, one a test process or some of a test's own.
//! - [`Connect`] and [`MariaDb`]: a database that is filled from topics of rows.
//! - [`naive`]: entities as they were, against a fold without any of the project's own code.
//! - [`Daybook`]: the `daybook` binary, built when it is not, killed when it is dropped.
//!
//! `DAYBOOK_TEST_PG_BIN` chooses the server: a folder with its binaries, `installed` or `download`;
//! without it the newest installed, else a download. Nothing is skipped silently: a PostgreSQL that
//! cannot be had is a failure that says so, a Kafka that cannot be had is one in CI.
#![allow(clippy::disallowed_methods, reason = "tests read the clock and make ids")]

mod binary;
mod client;
mod connect;
mod duckdb;
pub mod faults;
mod kafka;
pub mod naive;
mod ports;
mod postgres;
pub mod rows;
mod service;
mod shared;

pub use binary::{Daybook, Finished, binary_path};
pub use client::client;
pub use connect::{Connect, MariaDb};
pub use duckdb::python_with_duckdb;
pub use kafka::{Kafka, Secured};
pub use ports::free_port;
pub use postgres::{Postgres, TestDatabase, WithoutSchema, head};
pub use service::{Answer, Service};
pub use shared::shared;
