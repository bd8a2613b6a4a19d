//! Accounts and the money on them.

pub mod account;
