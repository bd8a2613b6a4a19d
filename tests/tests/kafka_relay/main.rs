//! The relay and the topic of events, against real brokers.
#![allow(clippy::disallowed_methods, reason = "tests read the clock and make ids")]

mod brokers;
mod faults;
mod order;
mod reconcile;
mod replay;
mod retention;
mod schemas;
mod secured;
mod support;
mod topics;
mod two_relays;
