//! The write side as clients and attackers meet it: the real binary, a real PostgreSQL, real
//! concurrency.
#![allow(clippy::disallowed_methods, reason = "tests are at the edge: they have a clock and ids")]
#![allow(unreachable_pub, reason = "the modules of a test have nobody outside")]

mod crash;
mod create_and_act;
mod hostile;
mod hot_account;
mod idempotency;
mod keys;
mod limits;
mod many;
mod permissions;
mod preconditions;
mod races;
mod rests_on;
mod scheduler;
mod secrets;
mod support;
mod transcript;
mod two_processes;
